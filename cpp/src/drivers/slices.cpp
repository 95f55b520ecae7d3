#include "slices.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>

#include "chunk_sums.hpp"
#include "dispatch.hpp"
#include "pieces.hpp"
#include "slice_vectors.hpp"
#include "streaming.hpp"
#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kLong = 4 * kLeastForSums;  // vectors that all threads work on together
constexpr std::size_t kShort = 24;  // vectors that are worked on many at a time, beside each other
constexpr std::size_t kColumns = kColumnSums;  // of an operator with one sum
constexpr std::size_t kLevels = 20;            // of sums of chunks of columns: memory on the stack
constexpr std::size_t kMostRows = kChunk << (kLevels - 1);

template <class... Op>
constexpr std::size_t most_sums(SliceList<Op...>) {
  return std::max({static_cast<std::size_t>(Op::sums)...});
}
static_assert(most_sums(SliceElements{}) == 1, "blocks of columns have one sum");

// Of functions that need much of the stack: inlined beside each other, they would need it all at a
// time.
#define BRIDLE_OWN_FRAME [[gnu::noinline]]

struct Plan {
  const SliceCall& call;
  const SliceKernels& kernels;
  SliceFinish finish;
  std::size_t item;
  bool streaming;  // the result bypasses the caches, where its elements lie beside each other

  bool measures() const { return call.op->measures; }
  double weight(std::size_t v) const { return call.weights ? call.weights[v] : 1.0; }
  bool fits(const SliceResult& result) const { return result.fits(call.dtype == DType::float64); }
};

using Vector = SliceVector;

// The sums of a chunk of one vector.
auto chunks_of(const Plan& plan, const Vector& vector, double scale) {
  return [&plan, &vector, scale](std::size_t begin, std::size_t size, double* sums) {
    const SliceCall& call = plan.call;
    alignas(kLine) double lanes[kLanes] = {};
    std::size_t position = 0;
    const auto add = [&](const void* piece, std::size_t count) {
      plan.kernels.gather(piece, count, position % kLanes, call.given, scale, lanes);
      position += count;
    };
    begin += vector.first;
    if (call.x_elements.is_row(static_cast<std::ptrdiff_t>(plan.item))) {
      add(vector.x + begin * plan.item, size);
    } else {
      for_each_piece(vector.x, call.x_elements, plan.item, begin, size, add);
    }
    kernels().reduce.fold_lanes(lanes, 1, sums);
  };
}

// Calls piece(x, buffer, i, count) for parts of at most `most` elements of begin … end, contiguous
// in both arrays; what is in the buffer goes to `out` past the caches.
template <class Piece>
BRIDLE_OWN_FRAME void stream_parts(const Plan& plan, const char* x, char* out, std::size_t begin,
                                   std::size_t end, std::size_t most, const Piece& piece) {
  const auto place = [&](std::size_t i) { return i * plan.item; };
  most = std::min(most, StreamWriter::kPiece / plan.item);
  StreamWriter writer(out + place(begin));
  for (std::size_t i = begin, count; i < end; i += count) {
    count = writer.best_size(place(std::min(most, end - i))) / plan.item;
    piece(x + place(i), writer.next(), i, count);
    writer.commit(place(count));
  }
  writer.flush();
}

// The same with `out` itself, unless the call streams, and they are not few.
template <class Piece>
void for_each_part(const Plan& plan, const char* x, char* out, std::size_t begin, std::size_t end,
                   std::size_t most, const Piece& piece) {
  const auto place = [&](std::size_t i) { return i * plan.item; };
  if (plan.streaming && place(end - begin) >= StreamWriter::kPiece) {
    return stream_parts(plan, x, out, begin, end, most, piece);
  }
  for (std::size_t i = begin, count; i < end; i += count) {
    count = std::min(most, end - i);
    piece(x + place(i), out + place(i), i, count);
  }
}

// Calls piece(x, out, count) for elements begin … begin + size of a vector, as pieces of memory
// whose elements lie beside each other in both.
template <class Piece>
void for_each_pair(const Plan& plan, const Vector& vector, std::size_t begin, std::size_t size,
                   const Piece& piece) {
  const SliceCall& call = plan.call;
  const auto stride = static_cast<std::ptrdiff_t>(plan.item);
  begin += vector.first;
  if (call.x_elements.is_row(stride) && call.out_elements.is_row(stride)) {
    for_each_part(
        plan, vector.x, vector.out, begin, begin + size, size,
        [&](const void* x, void* out, std::size_t, std::size_t count) { piece(x, out, count); });
    return;
  }
  constexpr std::size_t most = 512;
  alignas(kLine) char buffer[most * sizeof(double)];
  for (std::size_t i = 0, count; i < size; i += count) {
    const Walk::Row x = call.x_elements.first_row(begin + i, std::min(most, size - i));
    const Walk::Row out = call.out_elements.first_row(begin + i, x.count);
    count = out.count;
    gather({vector.x + x.offset, x.stride}, plan.item, count, buffer);
    piece(buffer, buffer, count);
    scatter(buffer, plan.item, count, {vector.out + out.offset, out.stride});
  }
}

void apply(const Plan& plan, const Vector& vector, const SliceResult& result, std::size_t begin,
           std::size_t size) {
  if (result.kind == SliceResult::unchanged) {
    if (vector.x == vector.out) return;
    for_each_pair(plan, vector, begin, size, [&](const void* x, void* out, std::size_t count) {
      if (x != out) std::memcpy(out, x, count * plan.item);
    });
    return;
  }
  const SliceApplyKernel kernel = plan.fits(result) ? plan.kernels.apply : plan.kernels.apply_wide;
  for_each_pair(plan, vector, begin, size, [&](const void* x, void* out, std::size_t count) {
    kernel(x, out, count, plan.call.given, result.number, result.scale);
  });
}

// sum(scale, sums) sums the terms of a vector.
template <class Sum>
SliceResult result_of(const Plan& plan, std::size_t v, const Sum& sum) {
  double sums[1];
  double scale = 1.0;
  for (;;) {
    sum(scale, sums);
    const SliceResult result = plan.finish(plan.call.given, plan.weight(v), sums, scale);
    if (result.kind != SliceResult::again) return result;
    scale = result.number;
  }
}

BRIDLE_OWN_FRAME void work_alone(const Plan& plan, const Vector& vector, std::size_t v) {
  const SliceResult result = result_of(plan, v, [&](double scale, double* sums) {
    sum_range<1>(1, 0, vector.length, chunks_of(plan, vector, scale), sums);
  });
  if (plan.measures()) {
    plan.call.numbers[v] = result.number;
  } else {
    apply(plan, vector, result, 0, vector.length);
  }
}

void work_together(const Plan& plan, const Vector& vector, std::size_t v) {
  const SliceResult result = result_of(plan, v, [&](double scale, double* sums) {
    sum_parallel<1>(1, vector.length, kLeastForSums, chunks_of(plan, vector, scale),
                    work_of(plan.kernels.gather), sums);
  });
  if (plan.measures()) {
    plan.call.numbers[v] = result.number;
    return;
  }
  parallel_for(
      vector.length, kChunk, kLeastSlicePart,
      [&](std::size_t begin, std::size_t end) { apply(plan, vector, result, begin, end - begin); },
      work_of(plan.kernels.apply, (vector.x == vector.out) + 2 * plan.streaming));
}

Vector vector_at(const Plan& plan, std::size_t v) { return slice_vector(plan.call, v); }

// What becomes of vectors that lie beside each other, and which of them have to be looked at one by
// one. Numbers are of the compute type.
struct Fates {
  char* numbers;
  bool *kept, *alone;
  bool some_kept = false, all_kept = true, some_alone = false;

  // Of vectors v … v + count, from place `first` on.
  void decide(const Plan& plan, std::size_t v, std::size_t first, std::size_t count,
              const double* sums) {
    for (std::size_t c = 0; c < count; ++c) {
      const SliceResult result = plan.finish(plan.call.given, plan.weight(v + c), sums + c, 1.0);
      const bool measured = plan.measures() && result.kind != SliceResult::again;
      const bool one_by_one =
          result.kind == SliceResult::again ||
          (!measured && result.kind == SliceResult::apply && !plan.fits(result));
      const bool as_it_is = one_by_one || result.kind == SliceResult::unchanged;
      if (measured) plan.call.numbers[v + c] = result.number;
      set_number(plan.call.dtype, numbers, first + c, as_it_is ? 1.0 : result.number);
      kept[first + c] = as_it_is;
      alone[first + c] = one_by_one;
      some_alone |= one_by_one;
      some_kept |= as_it_is;
      all_kept &= as_it_is;
    }
  }
};

// Those of as many as a block has columns.
struct Block {
  alignas(kLine) char numbers[kColumns * sizeof(double)];
  bool kept[kColumns], alone[kColumns];
  Fates fates{numbers, kept, alone};
};

// Adds the terms of elements begin … begin + size of vectors that lie beside each other to their
// lanes, the first one being element `first` of its chunk.
void gather_columns(const Plan& plan, const char* x, std::size_t begin, std::size_t size,
                    std::size_t first, std::size_t columns, double* lanes, std::size_t width) {
  plan.call.x_elements.for_each_row(
      begin, size, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
        plan.kernels.gather_columns(x + offset, stride, first, count, columns, plan.call.given,
                                    lanes, width);
        first += count;
      });
}

// Elements begin … begin + size of vectors that lie beside each other, from place `first` on.
void apply_to_columns(const Plan& plan, const Fates& fates, std::size_t first, const char* x,
                      char* out, std::size_t begin, std::size_t size, std::size_t columns) {
  const SliceCall& call = plan.call;
  if (plan.measures() || (fates.all_kept && x == out)) return;
  const char* const numbers = fates.numbers + first * compute_size(call.dtype);
  for (std::size_t i = begin, count; i < begin + size; i += count) {
    const Walk::Row from = call.x_elements.first_row(i, begin + size - i);
    const Walk::Row to = call.out_elements.first_row(i, from.count);
    count = to.count;
    plan.kernels.apply_columns(x + from.offset, from.stride, out + to.offset, to.stride, count,
                               columns, call.given, numbers,
                               fates.some_kept ? fates.kept + first : nullptr);
  }
}

void finish_alone(const Plan& plan, const Fates& fates, std::size_t v, std::size_t columns) {
  if (!fates.some_alone) return;
  for (std::size_t c = 0; c < columns; ++c) {
    if (fates.alone[c]) work_alone(plan, vector_at(plan, v + c), v + c);
  }
}

// The sums of whole vectors that lie beside each other.
BRIDLE_OWN_FRAME void sum_columns(const Plan& plan, const char* x, std::size_t columns,
                                  double* sums) {
  alignas(kLine) double lanes[kLanes * kColumnSums] = {};
  PairwiseSum<kColumnSums, kLevels> total(columns);
  const std::size_t length = plan.call.length;
  for (std::size_t i = 0; i < length; i += kChunk) {
    const std::size_t size = std::min(kChunk, length - i);
    gather_columns(plan, x, i, size, 0, columns, lanes, kColumnSums);
    kernels().slices.fold_columns(lanes, size, kColumnSums, total.next());
    total.push();
  }
  total.finish(sums);
}

BRIDLE_OWN_FRAME void work_on_columns(const Plan& plan, std::size_t v, char* x, char* out,
                                      std::size_t columns) {
  double sums[kColumnSums];
  sum_columns(plan, x, columns, sums);
  Block block;
  block.fates.decide(plan, v, 0, columns, sums);
  apply_to_columns(plan, block.fates, 0, x, out, 0, plan.call.length, columns);
  finish_alone(plan, block.fates, v, columns);
}

// Adds the sums of some columns over their chunks, which lie `stride` numbers apart.
BRIDLE_OWN_FRAME void add_chunks(const double* sums, std::size_t chunks, std::size_t stride,
                                 std::size_t columns, double* finished) {
  PairwiseSum<kColumnSums, kLevels> total(columns);
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    std::copy_n(sums + chunk * stride, columns, total.next());
    total.push();
  }
  total.finish(finished);
}

// Few long vectors that lie beside each other: all threads share out their chunks, and read rows of
// all of them.
class LongColumns {
 public:
  LongColumns(const Plan& plan, std::size_t v, char* x, char* out, std::size_t columns)
      : plan_(plan),
        v_(v),
        x_(x),
        out_(out),
        columns_(columns),
        chunks_((plan.call.length + kChunk - 1) / kChunk),
        sums_(new (std::nothrow) double[chunks_ * columns]),
        numbers_(new (std::nothrow) char[(columns + kPiece) * sizeof(double)]),
        flags_(new (std::nothrow) bool[2 * columns + kPiece]),
        fates_{numbers_.get(), flags_.get(), flags_.get() + columns + kPiece} {}

  bool work() {
    if (!sums_ || !numbers_ || !flags_ || !sum()) return false;
    for (std::size_t c = 0; c < columns_; c += kColumns) {
      const std::size_t count = std::min(kColumns, columns_ - c);
      double finished[kColumnSums];
      add_chunks(&sums_[c], chunks_, columns_, count, finished);
      fates_.decide(plan_, v_ + c, c, count, finished);
    }
    const bool joined = are_joined();
    if (joined) repeat_numbers();
    parallel_for(
        plan_.call.length, 16, std::max<std::size_t>(1, kLeastSlicePart / columns_),
        [&](std::size_t begin, std::size_t end) {
          if (joined) return apply_to_joined_rows(begin * columns_, end * columns_);
          apply_to_columns(plan_, fates_, 0, x_, out_, begin, end - begin, columns_);
        },
        work_of(plan_.kernels.apply_columns, (x_ == out_) + 2 * joined + 4 * plan_.streaming));
    finish_alone(plan_, fates_, v_, columns_);
    return true;
  }

 private:
  // That of each chunk. False if there is no memory for the lanes.
  bool sum() {
    const std::size_t length = plan_.call.length;
    const std::size_t least = std::max<std::size_t>(1, kLeastForSums / (kChunk * columns_));
    std::atomic<bool> memory = true;
    parallel_for(
        chunks_, 1, least,
        [&](std::size_t begin, std::size_t end) {
          const std::unique_ptr<double[]> lanes(new (std::nothrow) double[kLanes * columns_]());
          if (!lanes) {
            memory = false;
            return;
          }
          for (std::size_t chunk = begin; chunk < end; ++chunk) {
            const std::size_t first = chunk * kChunk, size = std::min(kChunk, length - first);
            gather_columns(plan_, x_, first, size, 0, columns_, lanes.get(), columns_);
            kernels().slices.fold_columns(lanes.get(), size, columns_, &sums_[chunk * columns_]);
          }
        },
        work_of(plan_.kernels.gather_columns));
    return memory;
  }

  // Whether one row begins where another ends, so that all are worked on as one.
  bool are_joined() const {
    const auto bytes = static_cast<std::ptrdiff_t>(columns_ * plan_.item);
    return plan_.call.x_elements.is_row(bytes) && plan_.call.out_elements.is_row(bytes);
  }

  // So that those of a piece lie beside each other wherever it begins.
  void repeat_numbers() {
    const std::size_t size = compute_size(plan_.call.dtype);
    for (std::size_t i = columns_; i < columns_ + kPiece; ++i) {
      std::memcpy(&numbers_[i * size], &numbers_[(i - columns_) * size], size);
      fates_.kept[i] = fates_.kept[i - columns_];
    }
  }

  void apply_to_joined_rows(std::size_t begin, std::size_t end) const {
    if (plan_.measures() || (fates_.all_kept && x_ == out_)) return;
    const std::size_t number = compute_size(plan_.call.dtype);
    for_each_part(plan_, x_, out_, begin, end, kPiece,
                  [&](const void* x, void* out, std::size_t i, std::size_t count) {
                    const std::size_t column = i % columns_;
                    plan_.kernels.apply_columns(x, 0, out, 0, 1, count, plan_.call.given,
                                                &numbers_[column * number],
                                                fates_.some_kept ? &fates_.kept[column] : nullptr);
                  });
  }

  static constexpr std::size_t kPiece = 1024;  // elements of joined rows, worked on at a time

  const Plan& plan_;
  std::size_t v_;
  char *x_, *out_;
  std::size_t columns_, chunks_;
  std::unique_ptr<double[]> sums_;
  std::unique_ptr<char[]> numbers_;
  std::unique_ptr<bool[]> flags_;
  Fates fates_;
};

// Short vectors anywhere: a block of them is turned so that they lie beside each other, zeros
// filling up those that are shorter than the longest.
BRIDLE_OWN_FRAME void work_on_turned(const Plan& plan, std::size_t v, std::size_t columns,
                                     Block& block) {
  const std::size_t item = plan.item;
  const auto row_stride = static_cast<std::ptrdiff_t>(kColumns * item);
  alignas(kLine) char turned[kShort * kColumns * sizeof(double)] = {};
  alignas(kLine) double lanes[kShort * kColumnSums] = {};
  Vector vectors[kColumns];
  std::size_t length = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    vectors[c] = vector_at(plan, v + c);
    length = std::max(length, vectors[c].length);
  }
  const auto column = [&](std::size_t c) { return Operand{turned + c * item, row_stride}; };
  for (std::size_t c = 0; c < columns; ++c) {
    Operand to = column(c);
    plan.call.x_elements.for_each_row(
        vectors[c].first, vectors[c].length,
        [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
          transfer({vectors[c].x + offset, stride}, to, item, count);
          to.data = at(to, count);
        });
  }
  double sums[kColumnSums];
  plan.kernels.gather_columns(turned, row_stride, 0, length, columns, plan.call.given, lanes,
                              kColumnSums);
  kernels().slices.fold_columns(lanes, length, kColumnSums, sums);
  Fates& fates = block.fates;
  fates.decide(plan, v, 0, columns, sums);
  if (!plan.measures() && !(fates.all_kept && plan.call.x == plan.call.out)) {
    plan.kernels.apply_columns(turned, row_stride, turned, row_stride, length, columns,
                               plan.call.given, fates.numbers,
                               fates.some_kept ? fates.kept : nullptr);
    for (std::size_t c = 0; c < columns; ++c) {
      Operand from = column(c);
      plan.call.out_elements.for_each_row(
          vectors[c].first, vectors[c].length,
          [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t count) {
            transfer(from, {vectors[c].out + offset, stride}, item, count);
            from.data = at(from, count);
          });
    }
  }
}

enum class Way { long_vectors, long_columns, columns, rows, vectors };

// Whether vectors that lie beside each other are worked on in rows of all of them: where these are
// not too wide, and the chunks enough for all threads.
bool are_long_columns(const SliceCall& call) {
  constexpr std::size_t widest = 4096;
  const auto threads = static_cast<std::size_t>(get_num_threads());
  return call.count <= widest && call.length >= 4 * kChunk * threads &&
         call.x_vectors.first_row(0, call.count).count == call.count &&
         call.out_vectors.first_row(0, call.count).count == call.count;
}

Way way_of(const Plan& plan) {
  const SliceCall& call = plan.call;
  if (call.offsets) return plan.kernels.rows && are_rows(call) ? Way::rows : Way::vectors;
  if (are_beside(call) && call.length < kMostRows) {
    return are_long_columns(call) ? Way::long_columns : Way::columns;
  }
  if (call.length >= kLong) return Way::long_vectors;
  return plan.kernels.rows && call.length <= kChunk && are_rows(call) ? Way::rows : Way::vectors;
}

// Where vector v of those that lie one behind the other begins, in bytes.
std::size_t row_place(const Plan& plan, std::size_t v) {
  const SliceCall& call = plan.call;
  return plan.item * (call.offsets ? static_cast<std::size_t>(call.offsets[v]) : v * call.length);
}

// Returns how many of vectors begin … end were done before one that the kernel cannot do.
std::size_t run_rows(const Plan& plan, std::size_t begin, std::size_t end, void* out) {
  const SliceCall& call = plan.call;
  return plan.kernels.rows({.x = call.x + row_place(plan, begin),
                            .out = out,
                            .size = call.length,
                            .count = end - begin,
                            .offsets = call.offsets ? call.offsets + begin : nullptr,
                            .weights = call.weights ? call.weights + begin : nullptr,
                            .numbers = call.numbers ? call.numbers + begin : nullptr,
                            .threshold = call.op->threshold},
                           plan.finish, call.given);
}

// Through a buffer, shorter rows lose more time than the caches do, and longer ones do not fit.
bool streams_rows(const Plan& plan) {
  constexpr std::size_t shortest = 256;
  const std::size_t bytes = slice_elements(plan.call) / plan.call.count * plan.item;
  return plan.streaming && bytes >= shortest && bytes <= StreamWriter::kPiece;
}

// run_rows past the caches, for as many vectors at a time as fit into the buffer.
BRIDLE_OWN_FRAME std::size_t stream_rows(const Plan& plan, std::size_t begin, std::size_t end) {
  const auto place = [&](std::size_t v) { return row_place(plan, v); };
  StreamWriter writer(plan.call.out + place(begin));
  std::size_t v = begin;
  for (std::size_t last; v < end; v = last) {
    for (last = v; last < end && place(last + 1) - place(v) <= StreamWriter::kPiece;) ++last;
    const std::size_t done = run_rows(plan, v, last, writer.next());
    writer.commit(place(v + done) - place(v));
    if (done == 0 || v + done < last) {
      v += done;
      break;
    }
  }
  writer.flush();
  return v - begin;
}

// Vectors begin … end of an array whose vectors lie one behind the other, those that all threads
// work on together left out.
void work_on_rows(const Plan& plan, std::size_t begin, std::size_t end) {
  const bool streams = streams_rows(plan);
  for (std::size_t v = begin; v < end; ++v) {
    v += streams ? stream_rows(plan, v, end)
                 : run_rows(plan, v, end, plan.call.out + row_place(plan, v));
    if (v == end) break;
    const Vector vector = vector_at(plan, v);
    if (vector.length < kLong) work_alone(plan, vector, v);
  }
}

// Vectors begin … end, those that all threads work on together left out; short neighbours are
// worked on as a block.
void work_on_vectors(const Plan& plan, std::size_t begin, std::size_t end) {
  for (std::size_t v = begin, count; v < end; v += count) {
    count = std::min(kColumns, end - v);
    std::size_t longest = 0;
    for (std::size_t c = 0; c < count && longest <= kShort; ++c) {
      longest = std::max(longest, vector_at(plan, v + c).length);
    }
    if (longest <= kShort && count >= 8) {
      Block block;
      work_on_turned(plan, v, count, block);
      finish_alone(plan, block.fates, v, count);
      continue;
    }
    for (std::size_t c = 0; c < count; ++c) {
      const Vector vector = vector_at(plan, v + c);
      if (vector.length < kLong) work_alone(plan, vector, v + c);
    }
  }
}

// Calls run(v, x, out, count) for vectors begin … end of which `count` begin at neighbouring
// elements in both arrays.
template <class Run>
void for_each_run(const Plan& plan, std::size_t begin, std::size_t end, const Run& run) {
  const SliceCall& call = plan.call;
  for (std::size_t v = begin, count; v < end; v += count) {
    const Walk::Row x = call.x_vectors.first_row(v, end - v);
    const Walk::Row out = call.out_vectors.first_row(v, x.count);
    count = out.count;
    run(v, call.x + x.offset, call.out + out.offset, count);
  }
}

bool is_streamed(const SliceCall& call) {
  return call.output == Output::reused && call.x != call.out && !call.op->measures &&
         worth_streaming(2 * slice_elements(call) * item_size(call.dtype));
}

}  // namespace

bool apply_to_slices(const SliceCall& call) noexcept {
  if (call.count == 0 || (call.length == 0 && !call.offsets && !call.numbers)) return true;
  if (call.op->whole) return apply_to_whole_vectors(call);
  const Plan plan{call, kernels().slices.of[call.op->elements][static_cast<int>(call.dtype)],
                  call.op->finish, item_size(call.dtype), is_streamed(call)};
  const KeepStatusFlags keep;
  const Way way = way_of(plan);
  if (way == Way::long_columns) {
    return LongColumns(plan, 0, call.x + call.x_vectors.first_row(0, 1).offset,
                       call.out + call.out_vectors.first_row(0, 1).offset, call.count)
        .work();
  }
  if (way != Way::columns) {
    for (std::size_t v = 0; v < call.count; ++v) {
      const Vector vector = vector_at(plan, v);
      if (vector.length >= kLong) work_together(plan, vector, v);
      if (!call.offsets && vector.length < kLong) break;  // so are all
    }
    if (way == Way::long_vectors) return true;
  }
  const std::size_t length = std::max<std::size_t>(1, slice_elements(call) / call.count);
  parallel_for(
      call.count, length > kShort && way == Way::vectors ? 1 : kColumns,
      std::max<std::size_t>(1, kLeastSlicePart / length),
      [&](std::size_t begin, std::size_t end) {
        if (way == Way::rows) return work_on_rows(plan, begin, end);
        if (way == Way::vectors) return work_on_vectors(plan, begin, end);
        for_each_run(plan, begin, end, [&](std::size_t v, char* x, char* out, std::size_t count) {
          for (std::size_t c = 0; c < count; c += kColumns) {
            work_on_columns(plan, v + c, x + c * plan.item, out + c * plan.item,
                            std::min(kColumns, count - c));
          }
        });
      },
      work_of(plan.kernels.apply,
              static_cast<int>(way) + 8 * (call.x == call.out) + 16 * plan.streaming));
  return true;
}

}  // namespace bridle
