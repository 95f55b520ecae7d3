// Vectors handed over as a whole to operators that want them contiguous.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "dispatch.hpp"
#include "slice_vectors.hpp"
#include "strided.hpp"
#include "threads/parallel.hpp"
#include "threads/slots.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kLongVector = 128 * 1024;  // all threads work on one together
constexpr std::size_t kTile = 64;                // elements of neighbours that are moved at a time
constexpr std::size_t kMostHeld = 64 << 20;      // bytes of long neighbours that are held at a time

class Plan {
 public:
  explicit Plan(const SliceCall& call)
      : call_(call),
        item_(item_size(call.dtype)),
        widens_(item_ == 2 && !call.op->takes_halves),
        staged_(widens_ || !is_contiguous()),
        together_(are_beside(call) ? kLine / item_ : 1) {
    longest_ = call.length;
    if (!call.offsets) return;
    longest_ = 0;
    for (std::size_t v = 0; v < call.count; ++v) {
      longest_ = std::max(longest_, slice_vector(call, v).length);
    }
  }

  std::size_t longest() const { return longest_; }
  // Vectors that are worked on at a time: as many as share cache lines.
  std::size_t together() const {
    const std::size_t held = kMostHeld / std::max<std::size_t>(1, longest_ * item_);
    return staged_ ? std::clamp<std::size_t>(held, 1, together_) : 1;
  }

  // Bytes for one thread.
  std::size_t memory() const { return staging() * (together() + 1) + scratch(); }

  // Vectors v … v + count, count <= together().
  void work(std::size_t v, std::size_t count, char* memory) const {
    char* const scratch = memory + staging() * (together() + 1);
    if (!staged_) {
      const SliceVector vector = slice_vector(call_, v);
      const std::size_t offset = vector.first * item_;
      apply(v, vector.x + offset, vector.out + offset, vector.length, scratch);
      return;
    }
    SliceVector vectors[kLine / 2];
    for (std::size_t c = 0; c < count; ++c) vectors[c] = slice_vector(call_, v + c);
    const std::size_t length = vectors[0].length;  // of all, where they are several
    move(call_.x_elements, vectors, &SliceVector::x, count, length, memory, true);
    for (std::size_t c = 0; c < count; ++c) apply_staged(v + c, length, memory, c, scratch);
    if (call_.op->measures) return;
    move(call_.out_elements, vectors, &SliceVector::out, count, length, memory, false);
  }

 private:
  bool is_contiguous() const {
    const auto item = static_cast<std::ptrdiff_t>(item_);
    return call_.x_elements.is_row(item) && (call_.op->measures || call_.out_elements.is_row(item));
  }
  DType dtype() const { return widens_ ? DType::float32 : call_.dtype; }
  std::size_t staging() const {
    return staged_ ? (longest_ * std::max(item_, item_size(dtype())) + kLine) / kLine * kLine : 0;
  }
  std::size_t scratch() const {
    return call_.op->scratch ? call_.op->scratch(dtype(), longest_) : 0;
  }

  void apply(std::size_t v, const void* x, void* out, std::size_t length, void* scratch) const {
    const double number = length == 0
                              ? 0.0
                              : call_.op->whole({.dtype = dtype(),
                                                 .x = x,
                                                 .out = out,
                                                 .size = length,
                                                 .beside = call_.beside,
                                                 .given = call_.given,
                                                 .weight = call_.weights ? call_.weights[v] : 1.0,
                                                 .scratch = scratch});
    if (call_.op->measures) call_.numbers[v] = number;
  }

  // The vector that lies at place c of the memory, of halves by way of the place behind all.
  void apply_staged(std::size_t v, std::size_t length, char* memory, std::size_t c,
                    void* scratch) const {
    char* const place = memory + c * staging();
    if (!widens_) return apply(v, place, place, length, scratch);
    const HalfKernels& half = kernels().half[static_cast<int>(call_.dtype)];
    float* const wide = reinterpret_cast<float*>(memory + together() * staging());
    const auto all = [&](const auto& convert) {
      parallel_for(length, 64, kLeastSlicePart, convert, work_of(half.widen));
    };
    all([&](std::size_t begin, std::size_t end) {
      half.widen(place + 2 * begin, wide + begin, end - begin);
    });
    apply(v, wide, wide, length, scratch);
    if (call_.op->measures) return;
    all([&](std::size_t begin, std::size_t end) {
      half.narrow_as_is(wide + begin, place + 2 * begin, end - begin);
    });
  }

  // Between vectors and their places in memory.
  void move(const Walk& elements, const SliceVector* vectors, char* SliceVector::* data,
            std::size_t count, std::size_t length, char* memory, bool into_memory) const {
    const auto move_range = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; i += kTile) {
        const std::size_t size = std::min(kTile, end - i);
        for (std::size_t c = 0; c < count; ++c) {
          const auto stride = static_cast<std::ptrdiff_t>(item_);
          Operand place{memory + c * staging() + i * item_, stride};
          elements.for_each_row(vectors[c].first + i, size,
                                [&](std::ptrdiff_t offset, std::ptrdiff_t row, std::size_t some) {
                                  const Operand there{vectors[c].*data + offset, row};
                                  transfer(into_memory ? there : place, into_memory ? place : there,
                                           item_, some);
                                  place.data = at(place, some);
                                });
        }
      }
    };
    parallel_for(length, kTile, kLeastSlicePart / count, move_range, call_.op->name);
  }

  const SliceCall& call_;
  std::size_t item_;
  bool widens_, staged_;
  std::size_t together_, longest_ = 0;
};

bool work(const SliceCall& call) {
  const Plan plan(call);
  const std::size_t together = plan.together(), units = (call.count + together - 1) / together;
  const std::size_t length = std::max<std::size_t>(1, slice_elements(call) / call.count);
  const bool one_by_one = plan.longest() >= kLongVector || units == 1;
  const auto threads = static_cast<std::size_t>(std::min(get_num_threads(), Slots::kMost));
  const std::size_t places = one_by_one ? 1 : std::min(threads, units);
  const std::size_t bytes = plan.memory();
  const std::unique_ptr<char[]> memory(new (std::nothrow) char[places * bytes + kLine]);
  if (!memory) return false;
  char* const first = memory.get() + (-reinterpret_cast<std::uintptr_t>(memory.get()) % kLine);
  Slots slots(static_cast<int>(places));
  const auto work = [&](std::size_t begin, std::size_t end) {
    const int slot = slots.take();
    for (std::size_t unit = begin; unit < end; ++unit) {
      const std::size_t v = unit * together;
      plan.work(v, std::min(together, call.count - v),
                first + static_cast<std::size_t>(slot) * bytes);
    }
    slots.give_back(slot);
  };
  if (one_by_one) {
    work(0, units);  // by all threads inside, where vectors are long
  } else {
    parallel_for(units, 1, std::max<std::size_t>(1, kLeastSlicePart / (length * together)), work,
                 call.op->name);
  }
  return true;
}

}  // namespace

bool apply_to_whole_vectors(const SliceCall& call) noexcept {
  const KeepStatusFlags keep;
  const std::size_t size = call.length * call.count;
  if (call.count == 1 || call.offsets || !call.op->joins || !are_rows(call) ||
      !call.op->joins({call.dtype, call.x, call.out, size, nullptr, call.given, 1.0, nullptr})) {
    return work(call);
  }
  const Walk one(0), all(static_cast<std::ptrdiff_t>(item_size(call.dtype)), size);
  return work({.op = call.op,
               .dtype = call.dtype,
               .x = call.x,
               .x_vectors = one,
               .x_elements = all,
               .out = call.out,
               .out_vectors = one,
               .out_elements = all,
               .count = 1,
               .length = size,
               .offsets = nullptr,
               .given = call.given,
               .weights = nullptr,
               .beside = nullptr,
               .numbers = nullptr});
}

}  // namespace bridle
