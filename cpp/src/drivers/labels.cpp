// Vectors that the labels of elements say. What needs sums alone has them in tables, one number for
// each label; for the rest the elements are sorted by their labels, and lie between offsets then.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "slice_vectors.hpp"
#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kLeastPerThread = 32 * 1024;  // elements
constexpr std::size_t kMostParts = 64;
constexpr std::size_t kMostGroups = std::size_t{1} << 48;  // for which nobody has the memory

// A stable sort by counting. Every part of the array has a place for each label, at which its next
// element of that label goes. What has no label is the last vector. Labels are read several times:
// no place is beyond the memory where another thread has written to them meanwhile.
class Sort {
 public:
  explicit Sort(const LabelCall& call) : call_(call), item_(item_size(call.dtype)) {
    const std::size_t vectors = call.count + 1;
    const auto threads = static_cast<std::size_t>(get_num_threads());
    const std::size_t worth = std::max<std::size_t>(1, call.size / (4 * vectors));
    parts_ = std::min({threads, worth, kMostParts, call.size / kLeastPerThread + 1});
    places_.reset(new (std::nothrow) std::size_t[parts_ * vectors]());
    offsets_.reset(new (std::nothrow) std::int64_t[vectors + 1]);
    sorted_.reset(new (std::nothrow) char[call.size * item_ + 1]);
  }
  bool has_memory() const { return places_ && offsets_ && sorted_; }

  const std::int64_t* offsets() const { return offsets_.get(); }
  char* sorted() const { return sorted_.get(); }

  void sort() {
    const std::size_t vectors = call_.count + 1;
    for_each_element([&](std::size_t, std::size_t& place) { ++place; });
    std::size_t next = 0;
    for (std::size_t v = 0; v < vectors; ++v) {
      offsets_[v] = static_cast<std::int64_t>(next);
      for (std::size_t p = 0; p < parts_; ++p) {
        const std::size_t count = places_[p * vectors + v];
        places_[p * vectors + v] = next;
        next += count;
      }
    }
    offsets_[vectors] = static_cast<std::int64_t>(next);
    by_item([&]<class Word>(Word) {
      const Word* const from = reinterpret_cast<const Word*>(call_.x);
      Word* const to = reinterpret_cast<Word*>(sorted_.get());
      for_each_element(
          [=, this](std::size_t i, std::size_t& place) { to[taken(place)] = from[i]; });
    });
  }

  // Every place is behind the last element of its part and label, at the first one of the next
  // part.
  void put_back() {
    const std::size_t vectors = call_.count + 1;
    for (std::size_t p = parts_; p-- > 0;) {
      for (std::size_t v = 0; v < vectors; ++v) {
        places_[p * vectors + v] =
            p > 0 ? places_[(p - 1) * vectors + v] : static_cast<std::size_t>(offsets_[v]);
      }
    }
    by_item([&]<class Word>(Word) {
      const Word* const from = reinterpret_cast<const Word*>(sorted_.get());
      Word* const to = reinterpret_cast<Word*>(call_.out);
      for_each_element(
          [=, this](std::size_t i, std::size_t& place) { to[i] = from[taken(place)]; });
    });
  }

 private:
  template <class Use>
  void by_item(const Use& use) const {
    switch (item_) {
      case 2:
        return use(std::uint16_t{});
      case 4:
        return use(std::uint32_t{});
      default:
        return use(std::uint64_t{});
    }
  }

  std::size_t taken(std::size_t& place) const { return std::min(place++, call_.size - 1); }

  // element(i, place of its part and label)
  template <class Element>
  void for_each_element(const Element& element) {
    const std::size_t vectors = call_.count + 1;
    parallel_for(
        parts_, 1, 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t p = begin; p < end; ++p) {
            std::size_t* const places = places_.get() + p * vectors;
            const std::size_t last = (p + 1) * call_.size / parts_;
            for (std::size_t i = p * call_.size / parts_; i < last; ++i) {
              element(i, places[std::min(static_cast<std::size_t>(call_.labels[i]), call_.count)]);
            }
          }
        },
        this->offsets_.get());
  }

  const LabelCall& call_;
  std::size_t item_, parts_;
  std::unique_ptr<std::size_t[]> places_;
  std::unique_ptr<std::int64_t[]> offsets_;
  std::unique_ptr<char[]> sorted_;
};

// Elements in each part of an array that has sums of its own: a multiple of kLanes that depends on
// nothing but the number of elements and of groups. Few groups have short parts, so that sums are
// of few numbers; many have no more parts than are worth their tables.
std::size_t elements_of_part(std::size_t size, std::size_t groups) {
  constexpr std::size_t least = 4 * kChunk, least_per_group = 16, most_per_group = 256, parts = 128;
  const std::size_t share = std::min((size + parts - 1) / parts, most_per_group * groups);
  const std::size_t elements = std::max({least, least_per_group * groups, share});
  return (elements + kLanes - 1) / kLanes * kLanes;
}

// The sums of all labels. Parts of the array have tables of their own, which are added level by
// level.
class Tables {
 public:
  explicit Tables(const LabelCall& call)
      : call_(call),
        kernels_(kernels().slices.of[call.op->elements][static_cast<int>(call.dtype)]),
        groups_(call.count + 1),
        elements_(elements_of_part(call.size, call.count)),
        parts_(std::max<std::size_t>(1, (call.size + elements_ - 1) / elements_)),
        sums_(new (std::nothrow) double[parts_ * groups_]),
        scales_(new (std::nothrow) double[groups_]),
        numbers_(new (std::nothrow) char[groups_ * sizeof(double)]) {}
  bool has_memory() const { return sums_ && scales_ && numbers_; }

  // False if a vector needs numbers of a wider type; nothing is written then.
  bool apply() {
    std::fill_n(&scales_[0], groups_, 1.0);
    for (double scale = 1.0; scale != kFinished; scale = next_scale()) {
      sum(scale);
      if (!finish(scale)) return false;
    }
    if (call_.op->measures) {
      std::memcpy(call_.numbers, &numbers_[0], call_.count * sizeof(double));
      return true;
    }
    const std::size_t item = item_size(call_.dtype);
    parallel_for(
        call_.size, 64, kLeastPerThread,
        [&](std::size_t begin, std::size_t end) {
          kernels_.apply_labels(call_.x + begin * item, call_.out + begin * item,
                                call_.labels + begin, end - begin, call_.count, call_.given,
                                numbers_.get());
        },
        work_of(kernels_.apply_labels));
    return true;
  }

 private:
  static constexpr double kUnchanged = std::numeric_limits<double>::infinity(), kFinished = 0.0;

  // That of a vector which waits for another one.
  double next_scale() const {
    const double *const first = scales_.get(), *const end = first + groups_;
    const double* const next = std::find_if(first, end, [](double s) { return s != kFinished; });
    return next == end ? kFinished : *next;
  }

  void sum(double scale) {
    const std::size_t item = item_size(call_.dtype);
    parallel_for(
        parts_, 1, std::max<std::size_t>(1, kLeastPerThread / elements_),
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t p = begin; p < end; ++p) {
            const std::size_t first = p * elements_;
            std::fill_n(&sums_[p * groups_], groups_, 0.0);
            kernels_.gather_labels(call_.x + first * item, call_.labels + first,
                                   std::min(elements_, call_.size - first), call_.count,
                                   call_.given, scale, &sums_[p * groups_]);
          }
        },
        work_of(kernels_.gather_labels));
  }

  // What the sums make of the vectors that wait for this scale.
  bool finish(double scale) {
    std::atomic<bool> fit = true;
    parallel_for(groups_, 64, std::max<std::size_t>(1, kLeastPerThread / (8 + parts_)),
                 [&](std::size_t begin, std::size_t end) {
                   add_parts(begin, end);
                   for (std::size_t v = begin; v < end; ++v) {
                     if (scales_[v] == scale && !finish_vector(v, scale)) fit = false;
                   }
                 });
    return fit;
  }

  void add_parts(std::size_t begin, std::size_t end) {
    for (std::size_t step = 1; step < parts_; step *= 2) {
      for (std::size_t p = 0; p + step < parts_; p += 2 * step) {
        double* const to = &sums_[p * groups_];
        const double* const from = &sums_[(p + step) * groups_];
        for (std::size_t v = begin; v < end; ++v) to[v] += from[v];
      }
    }
  }

  bool finish_vector(std::size_t v, double scale) {
    const SliceResult result = result_of(v, scale);
    const bool again = result.kind == SliceResult::again;
    scales_[v] = again ? result.number : kFinished;
    if (again) return true;
    if (call_.op->measures) {
      set_number(DType::float64, &numbers_[0], v, result.number);
    } else if (result.kind == SliceResult::unchanged) {
      set_number(call_.dtype, &numbers_[0], v, kUnchanged);
    } else if (result.fits(call_.dtype == DType::float64)) {
      set_number(call_.dtype, &numbers_[0], v, result.number);
    } else {
      return false;
    }
    return true;
  }

  SliceResult result_of(std::size_t v, double scale) const {
    // What is in no group has no norm to lose: a vector of weight 0, whatever its sum is.
    const bool is_group = v < call_.count;
    const double weight = !is_group ? 0.0 : call_.weights ? call_.weights[v] : 1.0;
    const double sum = is_group ? sums_[v] : 1.0;
    const SliceResult result = call_.op->finish(call_.given, weight, &sum, scale);
    // Squares of floats are far from underflow: their sum is 0, whatever the scale, or good.
    const bool is_zero = sum == 0.0 && call_.dtype != DType::float64;
    if (result.kind != SliceResult::again || !is_zero) return result;
    return call_.op->finish(call_.given, weight, &sum, result.number);
  }

  const LabelCall& call_;
  const SliceKernels& kernels_;
  std::size_t groups_, elements_, parts_;
  std::unique_ptr<double[]> sums_, scales_;
  std::unique_ptr<char[]> numbers_;
};

}  // namespace

std::int64_t count_labels(const std::int64_t* labels, std::size_t size) noexcept {
  std::atomic<std::int64_t> count = 0;
  parallel_for(size, 64, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::int64_t last = *std::max_element(labels + begin, labels + end);
    const std::int64_t largest = std::min(last, most - 1) + 1;
    std::int64_t before = count;
    while (before < largest && !count.compare_exchange_weak(before, largest)) {
    }
  });
  return count;
}

bool apply_by_labels(const LabelCall& call) noexcept {
  if (call.size == 0 && !call.numbers) return true;
  if (call.count >= kMostGroups) return false;
  const KeepStatusFlags keep;
  if (call.op->finish) {
    Tables tables(call);
    if (!tables.has_memory()) return false;
    if (tables.apply()) return true;
  }
  Sort sort(call);
  if (!sort.has_memory()) return false;
  sort.sort();
  const auto item = static_cast<std::ptrdiff_t>(item_size(call.dtype));
  const Walk one(0), elements(item, call.size);
  char* const x = sort.sorted();
  SliceCall vectors{.op = call.op,
                    .dtype = call.dtype,
                    .x = x,
                    .x_vectors = one,
                    .x_elements = elements,
                    .out = x,
                    .out_vectors = one,
                    .out_elements = elements,
                    .count = call.count,
                    .length = call.size,
                    .offsets = sort.offsets(),
                    .given = call.given,
                    .weights = call.weights,
                    .beside = nullptr,
                    .numbers = call.numbers};
  if (!apply_to_slices(vectors)) return false;
  if (call.op->measures) return true;
  // What is in no group has no norm to lose: vectors of one element and no weight.
  constexpr std::size_t most = 4096;
  static constexpr double nothing[most] = {};
  const Walk beside(item, most), single(item);
  const auto first = static_cast<std::size_t>(sort.offsets()[call.count]);
  for (std::size_t i = first; i < call.size; i += most) {
    char* const rest = x + i * static_cast<std::size_t>(item);
    if (!apply_to_slices({.op = call.op,
                          .dtype = call.dtype,
                          .x = rest,
                          .x_vectors = beside,
                          .x_elements = single,
                          .out = rest,
                          .out_vectors = beside,
                          .out_elements = single,
                          .count = std::min(most, call.size - i),
                          .length = 1,
                          .offsets = nullptr,
                          .given = call.given,
                          .weights = nothing,
                          .beside = nullptr,
                          .numbers = nullptr})) {
      return false;
    }
  }
  sort.put_back();
  return true;
}

}  // namespace bridle
