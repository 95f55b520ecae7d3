// The prox of total variation, argmin ½Σ(z_i − x_i)² + threshold·Σ|z_{i+1} − z_i|, by the taut
// string (Davies and Kovac 2001), in linear time whatever x is.
//
// Let S_k be the sum of the first k elements. The sums of z are the shortest string from S_0 to S_n
// that stays within threshold of S everywhere; z is its slope. From the last corner known, the
// string lies between two chains, each made of blocks of elements: the upper one, the greatest
// convex curve below S + threshold, has rising slopes, the lower one, the least concave curve above
// S − threshold, has falling ones. As soon as one chain is a single block that is steeper than the
// other chain's first block would allow, the string follows that first block to its end.
#pragma once

#include <bridle/loops/local_sum.hpp>
#include <cstddef>

namespace bridle::inline BRIDLE_ISA {

template <class T>
struct TubeBlock {
  LocalSum<T> sum;   // of its elements
  LocalSum<T> rest;  // see TubeChain
  double count;
  double shift;  // how much farther than the elements' sum the string rises from begin to end
};

// The blocks that lie between the last corner and the element appended last.
//
// sum() is that of all elements from the first block on, and what is dropped at the front must not
// be subtracted from it. So `rest` of the blocks below marked_ sums everything from their begin to
// a mark, and since_ everything after the mark; when no marked block is left, all blocks are marked
// anew. A block is visited by at most one marking.
template <class T, bool kUpper>
class TubeChain {
 public:
  using Block = TubeBlock<T>;
  using Sum = LocalSum<T>;

  // The chain may grow to as many blocks as elements are appended before its next start.
  explicit TubeChain(Block* blocks) : blocks_(blocks) {}

  void start(const Sum& sum, double count, double shift) {
    blocks_[0] = {sum, Sum{}, count, shift};
    first_ = marked_ = 0;
    end_ = 1;
  }

  const Block& front() const { return blocks_[first_]; }
  bool single() const { return end_ - first_ == 1; }

  // Whether the string turns from block a to block b the way this chain does.
  static bool turns(const Block& a, const Block& b) {
    const double slope_of_a = total(a.sum, a.shift) * b.count;
    const double slope_of_b = total(b.sum, b.shift) * a.count;
    return kUpper ? slope_of_a < slope_of_b : slope_of_a > slope_of_b;
  }

  // x, where the element before was `previous`.
  void append(double x, double previous, double shift) {
    const Sum sum = local_sum<T>(x);
    if (first_ < marked_) since_ = since_ + sum;
    Block block{sum, Sum{}, 1.0, shift};
    // No corner lies between elements in the wrong order; said first, so that rounding adds none.
    bool joins = (kUpper ? x <= previous : x >= previous) || !turns(blocks_[end_ - 1], block);
    if (!joins && end_ < marked_) marked_ = end_;
    while (joins) {
      const Block& last = blocks_[--end_];
      block = {last.sum + block.sum, last.rest, last.count + block.count, last.shift + block.shift};
      joins = end_ > first_ && !turns(blocks_[end_ - 1], block);
    }
    blocks_[end_++] = block;
  }

  void drop_front() { ++first_; }

  Sum sum() {
    if (first_ >= marked_) mark();
    return blocks_[first_].rest + since_;
  }

  // How much the slope changes from the first block to the last.
  double spread() const {
    const Block& last = blocks_[end_ - 1];
    return ops::absolute(mean(last.sum, last.shift, last.count) -
                         mean(front().sum, front().shift, front().count));
  }

 private:
  void mark() {
    Sum rest{};
    for (std::size_t i = end_; i-- > first_;) {
      rest = blocks_[i].sum + rest;
      blocks_[i].rest = rest;
    }
    // To the front of the memory, of which little is touched, then.
    end_ -= first_;
    __builtin_memmove(blocks_, blocks_ + first_, end_ * sizeof(Block));
    first_ = 0;
    marked_ = end_;
    since_ = Sum{};
  }

  Block* blocks_;
  std::size_t first_ = 0, end_ = 0, marked_ = 0;
  Sum since_{};
};

// The string along n finite elements. It begins `from` thresholds above S and ends `to` thresholds
// above it: 0, or 1 and −1 where a neighbour without an end pulls it there.
template <class T>
class TautString {
 public:
  TautString(double threshold, TubeBlock<T>* blocks, std::size_t n)
      : threshold_(threshold), upper_(blocks), lower_(blocks + n) {}

  void run(const T* x, std::size_t n, int from, int to, T* out) {
    scale_from(x, n, from != 0 || to != 0);
    const double begin = from * tube_, end = to * tube_;
    out_ = out;
    double previous = static_cast<double>(x[0]) * scale_;
    start(previous, n == 1 ? end - begin : tube_ - begin, n == 1 ? end - begin : -tube_ - begin);
    for (std::size_t i = 1; i < n; ++i) {
      const double element = static_cast<double>(x[i]) * scale_;
      const bool last = i == n - 1;
      upper_.append(element, previous, last ? end - tube_ : 0.0);
      lower_.append(element, previous, last ? end + tube_ : 0.0);
      previous = element;
      if (last) break;
      if (lower_.single()) {
        turn(upper_, lower_, -2 * tube_);
      } else if (upper_.single()) {
        turn(lower_, upper_, 2 * tube_);
      }
    }
    finish();
  }

 private:
  void scale_from(const T* x, std::size_t n, bool pulled) {
    scale_ = 1.0;
    if constexpr (sizeof(T) == 8) {
      const double largest = __builtin_bit_cast(double, largest_magnitude_bits(x, n));
      scale_ = summable_scale(pulled && threshold_ > largest ? threshold_ : largest);
    }
    tube_ = threshold_ * scale_;
    tube_ = tube_ < kBoundless ? tube_ : kBoundless;
  }

  void start(double x, double upper, double lower) {
    upper_.start(local_sum<T>(x), 1.0, upper);
    lower_.start(local_sum<T>(x), 1.0, lower);
  }

  void emit(const TubeBlock<T>& block) {
    const double slope = mean(block.sum, block.shift, block.count) / scale_;
    const std::size_t count = static_cast<std::size_t>(block.count);
    fill(out_, count, static_cast<T>(slope) + T(0));
    out_ += count;
  }

  // Follows `bent` as long as `straight`, a single block, goes to its other side.
  template <class Bent, class Straight>
  void turn(Bent& bent, Straight& straight, double shift) {
    while (!bent.single() && Bent::turns(bent.front(), straight.front())) {
      const double count = straight.front().count - bent.front().count;
      emit(bent.front());
      bent.drop_front();
      straight.start(bent.sum(), count, shift);
    }
  }

  // Both chains end where the string ends, so that one of them is straight. Where rounding hid
  // that, it is the one that is nearly so.
  void finish() {
    if (lower_.single() || (!upper_.single() && upper_.spread() > lower_.spread())) {
      emit_all(upper_);
    } else {
      emit_all(lower_);
    }
  }
  template <class Chain>
  void emit_all(Chain& chain) {
    for (; !chain.single(); chain.drop_front()) emit(chain.front());
    emit(chain.front());
  }

  double threshold_;
  double scale_ = 1.0, tube_ = 0.0;  // tube_ is the threshold, scaled
  T* out_ = nullptr;
  TubeChain<T, true> upper_;
  TubeChain<T, false> lower_;
};

// Bytes, aligned as double is.
template <class T>
constexpr std::size_t total_variation_scratch(std::size_t n) {
  return 2 * n * sizeof(TubeBlock<T>);
}

// T is float or double, threshold >= 0, out is x or does not overlap it. A NaN makes all NaN. An
// infinite element stays what it is and pulls its finite neighbours by the threshold, as one does
// that lies very far away; under an infinite threshold everything is the mean.
template <class T>
void prox_total_variation(const T* x, std::size_t n, T threshold, T* out, void* scratch) {
  const UnsignedOf<T> largest = largest_magnitude_bits(x, n);
  const bool infinite = largest == infinity_bits<T>(), boundless = threshold > ops::largest<T>();
  if (largest > infinity_bits<T>()) return fill(out, n, T(__builtin_nan("")));
  if (threshold == T(0)) {
    if (out != x) __builtin_memcpy(out, x, n * sizeof(T));
    return;
  }
  if (infinite && boundless) {
    T sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      sum += ops::absolute(x[i]) > ops::largest<T>() ? x[i] : T(0);
    return fill(out, n, sum);
  }
  TautString<T> string(static_cast<double>(threshold), static_cast<TubeBlock<T>*>(scratch), n);
  int from = 0;
  for (std::size_t i = 0; i < n;) {
    std::size_t end = infinite ? i : n;
    while (end < n && ops::absolute(x[end]) <= ops::largest<T>()) ++end;
    const int side = end == n ? 0 : x[end] > T(0) ? 1 : -1;
    const T there = end == n ? T(0) : x[end];
    if (end > i) string.run(x + i, end - i, from, side, out + i);
    if (end < n) out[end] = there;
    from = -side;
    i = end + 1;
  }
}

}  // namespace bridle::inline BRIDLE_ISA
