// The loop of every fused update: one pass over weights, gradient and state.
#pragma once

#include <bridle/loops/count.hpp>
#include <bridle/loops/reduce.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/ops.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

// Whose sums the summary has.
template <UpdateKind kKind>
struct PenaltyFor {
  using type = ops::elastic_net_penalty;
};
template <>
struct PenaltyFor<UpdateKind::sparse> {
  using type = ops::l1_penalty;
};
template <UpdateKind kKind>
using PenaltyOf = typename PenaltyFor<kKind>::type;

// A functor made of the first of some numbers; it is an aggregate of T alone.
template <class Op, class T, std::size_t... I>
inline Op from_numbers(const double* numbers, std::index_sequence<I...>) {
  return Op{static_cast<T>(numbers[I])...};
}
template <class Op, class T>
inline Op from_numbers(const double* numbers) {
  return from_numbers<Op, T>(numbers, std::make_index_sequence<sizeof(Op) / sizeof(T)>{});
}

template <class T>
inline ops::Regularization<T> regularization(const UpdateNumbers& n) {
  const auto t = [](double x) { return static_cast<T>(x); };
  const T infinity = static_cast<T>(__builtin_inf());
  const T spare_above = n.keep == 1 ? -infinity : n.cautious ? T(0) : infinity;
  return {t(n.scale), t(n.coupled), t(n.keep), t(n.l1), t(n.l2), t(n.size), spare_above};
}

// What an update tells of the new weights of a part of a chunk, gathered while they are in the
// cache.
template <class T, UpdateKind kKind>
class ChunkSummary {
 public:
  explicit ChunkSummary(const ChunkState& chunk) : lane_(chunk.position % kLanes) {
    if constexpr (kPenalized) {
      if (chunk.position > 0) sums_ = Sums(chunk.lanes);
    }
  }

  // w: the part, of which the first `end` elements have been written.
  void add_until(const T* w, std::size_t end) {
    if (lane_ > 0) {  // first what completes a row
      const std::size_t missing = kLanes - lane_;
      if (end < missing) return;
      add_padded(w, missing);
      lane_ = 0;
    }
    for (; done_ + kLanes <= end; done_ += kLanes) {
      if constexpr (kPenalized) sums_.add_row(w + done_);
      counts_.add_row(w + done_);
    }
  }

  void finish(const T* w, std::size_t size, ChunkState& chunk) {
    if (done_ < size) add_padded(w + done_, size - done_);
    if constexpr (kPenalized) sums_.store_to(chunk.lanes);
    counts_.finish(size, chunk.counts);
    chunk.position += size;
  }

 private:
  static constexpr bool kPenalized = kKind != UpdateKind::plain;
  using Sums = ChunkSums<PenaltyOf<kKind>>;

  void add_padded(const T* w, std::size_t size) {
    const PaddedRow<T> row(w, size, lane_);
    if constexpr (kPenalized) sums_.add_row(row.x);
    counts_.add_row(row.x);
    counts_.take_away(kLanes - size);
    done_ += size;
  }

  Sums sums_;
  ChunkCounts<T> counts_;
  std::size_t lane_, done_ = 0;
};

// Elements of one round; arrays that an operator has not are some memory that may be read, or
// written.
template <class T>
struct UpdateRound {
  T* w;
  const T *g, *toward, *old_state[3];
  T* new_state[3];
  std::size_t size;
  const T* continued[UpdateRole::copy_out];
  int continued_count;
};

// Elements that are renewed while others ahead are on their way; asking for those of a whole round
// at once gained nothing.
inline constexpr std::size_t kAskedAtOnce = 64;
// Processors that gain by it have AVX-512; kernels for others would only be larger.
#if defined(__AVX512F__)
inline constexpr bool kAsksAhead = true;
#else
inline constexpr bool kAsksAhead = false;
#endif

// By itself, so that gcc vectorizes it whatever surrounds it.
template <class Op, class T, UpdateKind kKind, bool kAdaptive>
[[gnu::noinline]] void update_round(Op op, ops::Regularization<T> r, Prefetch prefetch,
                                    const UpdateRound<T>& round) {
  T* const w = round.w;
  const T *const g = round.g, *const toward = round.toward;
  const T *const old0 = round.old_state[0], *const old1 = round.old_state[1],
                 *const old2 = round.old_state[2];
  T *const new0 = round.new_state[0], *const new1 = round.new_state[1],
           *const new2 = round.new_state[2];
  const std::size_t size = round.size;
  const auto updated = [=](std::size_t i) {
    const ops::State<T> state{old0[i], old1[i], old2[i]};
    if constexpr (ops::SolvesForWeight<Op, T>) {
      return op.weight(w[i], r.scale * g[i], state, r.l1, r.l2);
    } else if constexpr (kKind == UpdateKind::plain) {
      return ops::decayed(op, r, w[i], g[i], state);
    } else if constexpr (kKind != UpdateKind::full) {
      constexpr bool squares = kKind == UpdateKind::elastic;
      return ops::penalized<kAdaptive, squares>(op, r, w[i], g[i], state);
    } else {
      return ops::regularized<kAdaptive>(op, r, w[i], toward[i], g[i], state);
    }
  };
  const auto renew = [=](std::size_t i) __attribute__((always_inline)) {
    const ops::Updated<T> result = updated(i);
    narrow(result.weight, w[i]);
    if constexpr (Op::states > 0) new0[i] = result.state.first;
    if constexpr (Op::states > 1) new1[i] = result.state.second;
    if constexpr (Op::states > 2) new2[i] = result.state.third;
  };
  std::size_t begin = 0;
  if (kAsksAhead && prefetch) {  // a number of elements that the compiler knows: a tenth faster
    for (; begin + kAskedAtOnce <= size; begin += kAskedAtOnce) {
      for (int k = 0; k < round.continued_count; ++k) {
        prefetch(round.continued[k] + begin, kAskedAtOnce * sizeof(T));
      }
#pragma omp simd
      for (std::size_t i = begin; i < begin + kAskedAtOnce; ++i) renew(i);
    }
  }
#pragma omp simd
  for (std::size_t i = begin; i < size; ++i) renew(i);
}

// The step sizes of at most kUpdateBlock elements of which this is the new state.
template <template <class> class Op, class T>
void step_sizes_kernel(const UpdateMemory& memory, const UpdateNumbers& numbers, std::size_t size,
                       void* sizes) {
  const Op<T> op = from_numbers<Op<T>, T>(numbers.members);
  alignas(64) static constexpr T zeros[kUpdateBlock] = {};
  const auto from = [&](int s) {
    return memory.state[s] ? static_cast<const T*>(memory.state[s]) : zeros;
  };
  const T *const first = from(0), *const second = from(1), *const third = from(2);
  T* const to = static_cast<T*>(sizes);
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const T own = op.size_of({first[i], second[i], third[i]});
    to[i] = own < ops::largest<T>() ? own : ops::largest<T>();  // as in `regularized`
  }
}

// Renews weights and state; no two of the arrays overlap. What the new weights add to a chunk goes
// there, unless it is null.
template <template <class> class Op, class T, UpdateKind kKind, bool kAdaptive>
void update_kernel(const UpdateMemory& memory, const UpdateNumbers& numbers, std::size_t size,
                   ChunkState* chunk) {
  constexpr int states = Op<T>::states;
  const Op<T> op = from_numbers<Op<T>, T>(numbers.members);
  const ops::Regularization<T> r = regularization<T>(numbers);
  alignas(64) static constexpr T zeros[kUpdateBlock] = {};
  alignas(64) T forgotten[kUpdateBlock];
  static constexpr ChunkState nothing = {};
  ChunkSummary<T, kKind> summary(chunk ? *chunk : nothing);
  T* const w = static_cast<T*>(memory.weights);
  const Prefetch prefetch(size * sizeof(T));
  // All rounds but the first begin with a cache line, for arrays that lie alike.
  const std::size_t in_line = reinterpret_cast<std::uintptr_t>(w) % kLine / sizeof(T);
  for (std::size_t begin = 0, count; begin < size; begin += count) {
    count = begin == 0 ? kUpdateBlock - in_line : kUpdateBlock;
    if (count > size - begin) count = size - begin;
    const UpdateStages* const stages = memory.stages;
    UpdateMemory brought;
    if (stages) brought = stages->bring(stages->context, begin, count);
    const UpdateMemory& at = stages ? brought : memory;
    const std::size_t first = stages ? 0 : begin;
    const auto from = [first](const void* array) {
      return array ? static_cast<const T*>(array) + first : zeros;
    };
    UpdateRound<T> round{w + begin,
                         from(at.gradient),
                         from(at.toward),
                         {zeros, zeros, zeros},
                         {forgotten, forgotten, forgotten},
                         count,
                         {},
                         at.continued_count};
    for (int k = 0; k < at.continued_count; ++k) {
      round.continued[k] = static_cast<const T*>(at.continued[k]) + first;
    }
    for (int s = 0; s < states; ++s) {
      if (!at.state[s]) continue;
      round.new_state[s] = static_cast<T*>(at.state[s]) + first;
      round.old_state[s] = round.new_state[s];
    }
    update_round<Op<T>, T, kKind, kAdaptive>(op, r, prefetch, round);
    if (stages) stages->take(stages->context, begin, count);
    if (chunk) summary.add_until(w, begin + count);
  }
  if (chunk) summary.finish(w, size, *chunk);
}

}  // namespace bridle::inline BRIDLE_ISA
