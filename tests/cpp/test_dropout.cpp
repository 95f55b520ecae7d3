// Dropout and its masks: decisions are those of the definition, in every layout, part and number of
// threads.
#include <doctest/doctest.h>

#include <cstring>

#include "chacha_reference.hpp"
#include "data.hpp"
#include "parallel.hpp"
#include "reference.hpp"

namespace bridle::test {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr RandomKey kKey{0x0123456789abcdef, 42};

MaskCall mask_call(std::uint64_t threshold, std::uint64_t index, std::size_t size) {
  return {kKey, threshold, index, size,
          threshold > 0 ? 4294967296.0 / static_cast<double>(threshold) : 1.0};
}

Bytes decisions(const MaskCall& call) {
  Bytes keep(call.size);
  for (std::size_t i = 0; i < call.size; ++i)
    keep[i] = uniform(call.key, call.index + i) < call.threshold;
  return keep;
}

Bytes packed(const Bytes& keep) {
  Bytes bits((keep.size() + 7) / 8);
  for (std::size_t i = 0; i < keep.size(); ++i)
    bits[i / 8] = static_cast<char>(bits[i / 8] | keep[i] << i % 8);
  return bits;
}

void check_masks(const MaskCall& call, const Bytes& keep) {
  Array bytes(1, call.size, 1, 3), bits(1, (call.size + 7) / 8, 1, 5);
  dropout_mask(reinterpret_cast<std::uint8_t*>(bytes.operand().data), call);
  dropout_mask_packed(reinterpret_cast<std::uint8_t*>(bits.operand().data), call);
  CHECK(bytes.elements() == keep);
  CHECK(bytes.gaps_untouched());
  CHECK(bits.elements() == packed(keep));
  CHECK(bits.gaps_untouched());
}

// p = 0 is the identity, bit for bit; else a kept element is scaled and rounded, a dropped one is
// +0.0.
Bytes expected_result(DType dtype, const Bytes& x, const MaskCall& call, const Bytes& keep) {
  if (call.threshold == kAll) return x;
  Bytes result(x.size());
  const std::size_t item = item_size(dtype);
  for (std::size_t i = 0; i < keep.size(); ++i) {
    apply_dropout(dtype, &x[i * item], call.scale, keep[i] != 0, &result[i * item]);
  }
  return result;
}

void check_apply(DType dtype, const MaskCall& call, const Bytes& keep, std::ptrdiff_t x_stride,
                 std::ptrdiff_t out_stride) {
  CAPTURE(name_of(dtype));
  CAPTURE(x_stride);
  CAPTURE(out_stride);
  const std::size_t item = item_size(dtype);
  const Bytes elements = hostile_elements(dtype, call.size, call.size);
  const Bytes expected = expected_result(dtype, elements, call, keep);
  Array x(item, elements, x_stride, item), out(item, call.size, out_stride);
  dropout(dtype, x.operand(), out.operand(), call, Output::fresh);
  CHECK(difference(dtype, expected, out.elements()) == "");
  CHECK(out.gaps_untouched());
  dropout(dtype, x.operand(), x.operand(), call, Output::reused);
  CHECK(difference(dtype, expected, x.elements()) == "");
  CHECK(x.gaps_untouched());
}

void check_call(const MaskCall& call) {
  CAPTURE(call.threshold);
  CAPTURE(call.index);
  CAPTURE(call.size);
  const Bytes keep = decisions(call);
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    check_masks(call, keep);
    for (const DType dtype : kAllTypes) {
      const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
      check_apply(dtype, call, keep, item, item);
      check_apply(dtype, call, keep, -item, 2 * item);
      check_apply(dtype, call, keep, item + 1, -item);
    }
  });
}

TEST_CASE("every size, index and threshold") {
  for (const std::uint64_t threshold :
       {std::uint64_t{0}, std::uint64_t{1} << 31, std::uint64_t{3865470566}, kAll}) {
    for (const std::uint64_t index :
         {0ull, 1ull, 511ull, 1000ull, (1ull << 37) - 300, (1ull << 63) - 5}) {
      for (const std::size_t size : {0, 1, 8, 31, 513, 1029})
        check_call(mask_call(threshold, index, size));
    }
  }
}

TEST_CASE("a draw that equals the high half of the threshold is settled by the low half") {
  for (const std::uint64_t index : {0, 77, 511, 512, 1023, 1500}) {
    const std::uint64_t tie = uniform(kKey, index);
    for (const std::uint64_t threshold : {tie - 1, tie, tie + 1, tie & ~std::uint64_t{0xffff}}) {
      check_call(mask_call(threshold, 0, 1600));
    }
  }
}

TEST_CASE("thresholds of which one half is zero or full") {
  for (const std::uint64_t threshold :
       {0x1ull, 0xffffull, 0x10000ull, 0x10001ull, 0xffff0000ull, 0xffffffffull}) {
    check_call(mask_call(threshold, 5, 3000));
  }
}

TEST_CASE("the number of threads does not show in the decisions") {
  const MaskCall call = mask_call(std::uint64_t{1} << 31, 12345, 5 * 8 * 1024 + 77);
  const Bytes keep = decisions(call);
  for (int threads = 1; threads <= 4; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    check_masks(call, keep);
    for (const DType dtype : kAllTypes) {
      const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
      check_apply(dtype, call, keep, item, item);
      check_apply(dtype, call, keep, -item, 2 * item);
    }
  }
  set_num_threads(0);
}

TEST_CASE("a part of an array is the same call with its index") {
  const MaskCall whole = mask_call(std::uint64_t{1} << 31, 0, 2000);
  const Bytes keep = decisions(whole);
  for (const std::size_t begin : {1, 8, 500, 512, 1999}) {
    MaskCall part = whole;
    part.index += begin;
    part.size -= begin;
    check_masks(part, Bytes(keep.begin() + static_cast<std::ptrdiff_t>(begin), keep.end()));
  }
}

}  // namespace
}  // namespace bridle::test
