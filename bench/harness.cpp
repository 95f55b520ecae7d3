#include "harness.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "drivers/core.hpp"
#include "limits.hpp"

namespace bridle::bench {
namespace {

constexpr std::size_t kDefaultMaxBytes = 2'000'000'000;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr double kSampleSeconds = 20e-6;  // long against the clock
constexpr double kLimitSeconds = 1e-3;    // long against the scheduler's noise in small work
constexpr int kLeastSamples = 3;

char* allocate(std::size_t bytes) {
  const std::size_t whole = (bytes + kHugePage) / kHugePage * kHugePage;
  void* const memory = std::aligned_alloc(kHugePage, whole);
  if (!memory) throw std::runtime_error("not enough memory; lower BRIDLE_BENCH_MAX_BYTES");
#if defined(MADV_HUGEPAGE)
  madvise(memory, whole, MADV_HUGEPAGE);
#endif
  return static_cast<char*>(memory);
}

// 100000 is 1e5, 62500 is 625e2: exact, and short where it can be.
std::string short_number(std::size_t n) {
  int zeros = 0;
  for (; n > 0 && n % 10 == 0; n /= 10) ++zeros;
  std::string text = std::to_string(n);
  if (zeros > 0) text.append("e").append(std::to_string(zeros));
  return text;
}

double median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

}  // namespace

std::size_t Setting::bytes() const { return size * item_size(dtype); }
std::size_t Setting::before_state() const {
  return states == 0 ? bytes() : (bytes() + kLine - 1) / kLine * kLine;
}
std::size_t Setting::written() const {
  return before_state() + static_cast<std::size_t>(states) * size * compute_size(dtype);
}
std::size_t Setting::traffic() const {
  if (place == Place::updated) return 2 * written() + (gradient ? bytes() : 0);
  return place == Place::read ? bytes() : 2 * bytes();
}

Arrays arrays_of(std::size_t bytes) {
  static Arrays arrays = {};
  static std::size_t allocated = 0;
  if (bytes > allocated) {
    std::free(arrays.x);
    std::free(arrays.other);
    arrays = {allocate(bytes), allocate(bytes)};
    allocated = bytes;
  }
  return arrays;
}

std::vector<std::size_t> sizes(std::size_t arrays) {
  const char* const text = std::getenv("BRIDLE_BENCH_MAX_BYTES");
  const auto bytes = text ? static_cast<std::size_t>(std::atof(text)) : kDefaultMaxBytes;
  const std::size_t most = std::max<std::size_t>(1, bytes / (arrays * sizeof(double)));
  std::set<std::size_t> result;
  for (const std::size_t size : {1'000, 30'000, 1'000'000, 100'000'000}) {
    result.insert(std::min<std::size_t>(size, most));
  }
  return {result.begin(), result.end()};
}

std::string name_of(const char* work, const Setting& setting) {
  constexpr const char* dtypes[] = {"f16", "bf16", "f32", "f64"};
  constexpr const char* places[] = {"in_place", "given", "read", "updated"};
  return std::string(work) + '/' + dtypes[static_cast<int>(setting.dtype)] + '/' +
         short_number(setting.size) + '/' + places[static_cast<int>(setting.place)] + "/t" +
         std::to_string(setting.threads);
}

Limit::Limit(const Setting& setting, Arrays arrays) {
  auto* const x = reinterpret_cast<float*>(arrays.x);
  auto* const other = reinterpret_cast<float*>(arrays.other);
  const bool updated = setting.place == Place::updated;
  const std::size_t size = (updated ? setting.written() : setting.bytes()) / sizeof(float);
  const std::size_t gradient = setting.gradient ? setting.bytes() / sizeof(float) : 0;
  // Not x: what halves or doubles look like as floats may be NaN or subnormal.
  if (updated || setting.place == Place::in_place) std::fill_n(other, size, 1.0f);
  for (const int threads : std::set{1, setting.threads}) {
    if (setting.place == Place::read) {
      add([=] { bench_limit_read(x, size, threads); });
    } else if (updated) {
      add([=] {
        bench_limit_scale(other, 1.0f, size, threads);
        bench_limit_read(x, gradient, threads);
      });
    } else if (setting.place == Place::in_place) {
      add([=] { bench_limit_scale(other, 1.0f, size, threads); });
    } else {
      add([=] { bench_limit_copy_streaming(x, other, size, threads); });
      add([=] { bench_limit_copy_loop(x, other, size, threads); });
    }
  }
}

void Limit::add(std::function<void()> call) { candidates_.push_back({std::move(call), {}}); }

void Limit::measure() {
  for (Candidate& candidate : candidates_) {
    candidate.call();
    int calls = 1;
    const Clock::time_point start = Clock::now();
    for (int done = 0; done < kLeastSamples || seconds_since(start) < kLimitSeconds;) {
      const Clock::time_point begin = Clock::now();
      for (int i = 0; i < calls; ++i) candidate.call();
      const double elapsed = seconds_since(begin);
      if (elapsed < kSampleSeconds) {
        calls *= 2;
      } else {
        candidate.samples.push_back(elapsed / calls);
        ++done;
      }
    }
  }
}

double Limit::seconds() const {
  double least = std::numeric_limits<double>::infinity();
  for (const Candidate& candidate : candidates_) least = std::min(least, median(candidate.samples));
  return least;
}

}  // namespace bridle::bench
