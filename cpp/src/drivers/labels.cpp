// Vectors that the labels of elements say. What needs sums alone has them in tables, one number for
// each label; for the rest the elements are sorted by their labels, and lie between offsets then.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <new>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "slices.hpp"
#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kLeastPerThread = 32 * 1024;  // elements
constexpr std::size_t kMostParts = 64;

// A stable sort by counting. Every part of the array has a place for each label, at which its next
// element of that label goes. What has no label is the last vector.
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
      for_each_element([=](std::size_t i, std::size_t& place) { to[place++] = from[i]; });
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
      for_each_element([=](std::size_t i, std::size_t& place) { to[i] = from[place++]; });
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
              const std::int64_t label = call_.labels[i];
              element(i, places[label < 0 ? call_.count : static_cast<std::size_t>(label)]);
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

// The sums of all labels. Parts of the array have tables of their own, which are added level by
// level: the order depends on nothing but the positions, and the number of the labels. Few labels
// have short parts, so that sums are of few numbers.
class Tables {
 public:
  explicit Tables(const LabelCall& call)
      : call_(call),
        kernels_(kernels().slices.of[call.op->elements][static_cast<int>(call.dtype)]),
        groups_(call.count + 1),
        elements_(std::max(kLeastElements, kPerLabel * groups_)),
        parts_(std::max<std::size_t>(1, (call.size + elements_ - 1) / elements_)),
        sums_(new (std::nothrow) double[parts_ * groups_]()),
        numbers_(new (std::nothrow) char[groups_ * sizeof(double)]) {}
  bool has_memory() const { return sums_ && numbers_; }

  // False if a vector needs another scale, or numbers of a wider type; nothing is written then.
  bool apply() {
    sum();
    // What is in no group has no norm to lose: a vector of weight 0, whatever its sum is.
    sums_[call_.count] = 1.0;
    for (std::size_t v = 0; v < groups_; ++v) {
      const double weight = v == call_.count ? 0.0 : call_.weights ? call_.weights[v] : 1.0;
      const SliceResult result = call_.op->finish(call_.given, weight, &sums_[v], 1.0);
      if (result.kind == SliceResult::again) return false;
      if (call_.op->measures) {
        sums_[v] = result.number;
      } else if (result.kind == SliceResult::unchanged) {
        set(v, kUnchanged);
      } else if (result.fits(call_.dtype == DType::float64)) {
        set(v, result.number);
      } else {
        return false;
      }
    }
    if (call_.op->measures) {
      std::copy_n(&sums_[0], call_.count, call_.numbers);
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
  static constexpr std::size_t kLeastElements = 4 * kChunk, kPerLabel = 16;
  static constexpr double kUnchanged = std::numeric_limits<double>::infinity();

  void sum() {
    const std::size_t item = item_size(call_.dtype);
    parallel_for(
        parts_, 1, std::max<std::size_t>(1, kLeastPerThread / elements_),
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t p = begin; p < end; ++p) {
            const std::size_t first = p * elements_;
            kernels_.gather_labels(call_.x + first * item, call_.labels + first,
                                   std::min(elements_, call_.size - first), call_.count,
                                   call_.given, &sums_[p * groups_]);
          }
        },
        work_of(kernels_.gather_labels));
    for (std::size_t step = 1; step < parts_; step *= 2) {
      for (std::size_t p = 0; p + step < parts_; p += 2 * step) {
        double* const to = &sums_[p * groups_];
        const double* const from = &sums_[(p + step) * groups_];
        for (std::size_t v = 0; v < groups_; ++v) to[v] += from[v];
      }
    }
  }

  void set(std::size_t v, double number) {
    if (call_.dtype == DType::float64) {
      reinterpret_cast<double*>(numbers_.get())[v] = number;
    } else {
      reinterpret_cast<float*>(numbers_.get())[v] = static_cast<float>(number);
    }
  }

  const LabelCall& call_;
  const SliceKernels& kernels_;
  std::size_t groups_, elements_, parts_;
  std::unique_ptr<double[]> sums_;
  std::unique_ptr<char[]> numbers_;
};

}  // namespace

std::int64_t count_labels(const std::int64_t* labels, std::size_t size) noexcept {
  std::atomic<std::int64_t> count = 0;
  parallel_for(size, 64, kLeastPerThread, [&](std::size_t begin, std::size_t end) {
    const std::int64_t largest = *std::max_element(labels + begin, labels + end) + 1;
    std::int64_t before = count;
    while (before < largest && !count.compare_exchange_weak(before, largest)) {
    }
  });
  return count;
}

bool apply_by_labels(const LabelCall& call) noexcept {
  if (call.size == 0 && !call.numbers) return true;
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
