#include "data.hpp"

#include <algorithm>
#include <bridle/loops/storage.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace bridle::test {
namespace {

template <class Word>
std::vector<Word> special_bits(int mantissa_bits) {
  const Word sign = static_cast<Word>(Word{1} << (8 * sizeof(Word) - 1));
  const Word smallest_normal = static_cast<Word>(Word{1} << mantissa_bits);
  const Word infinity = static_cast<Word>((sign - 1) & ~(smallest_normal - 1));
  const Word quiet = static_cast<Word>(smallest_normal >> 1);
  std::vector<Word> bits = {0,
                            1,
                            static_cast<Word>(smallest_normal - 1),
                            smallest_normal,
                            static_cast<Word>(smallest_normal + 1),
                            static_cast<Word>(infinity - 1),
                            infinity,
                            static_cast<Word>(infinity | quiet),
                            static_cast<Word>(infinity | quiet | 5),
                            static_cast<Word>(infinity | 1)};
  const std::size_t positive = bits.size();
  for (std::size_t i = 0; i < positive; ++i) bits.push_back(static_cast<Word>(bits[i] | sign));
  return bits;
}

template <class S, class Word>
void write_number(double value, char* to) {
  S element;
  narrow(static_cast<Compute<S>>(value), element);
  std::memcpy(to, &element, sizeof element);
}

void write_number(DType dtype, double value, char* to) {
  switch (dtype) {
    case DType::float16:
      return write_number<Float16, std::uint16_t>(value, to);
    case DType::bfloat16:
      return write_number<BFloat16, std::uint16_t>(value, to);
    case DType::float32:
      return write_number<float, std::uint32_t>(value, to);
    default:
      return write_number<double, std::uint64_t>(value, to);
  }
}

double ordinary(Random& random) {
  const double magnitude =
      std::ldexp(1.0 + random.uniform(), static_cast<int>(random.below(24)) - 16);
  return random.next() & 1 ? magnitude : -magnitude;
}

template <class Word>
Bytes hostile_words(DType dtype, std::size_t size, std::uint64_t seed, int mantissa_bits) {
  const std::vector<Word> special = special_bits<Word>(mantissa_bits);
  Random random(seed);
  Bytes bytes(size * sizeof(Word));
  for (std::size_t i = 0; i < size; ++i) {
    char* const to = bytes.data() + i * sizeof(Word);
    const std::size_t kind = random.below(3);
    const Word word =
        kind == 0 ? special[random.below(special.size())] : static_cast<Word>(random.next());
    if (kind < 2) {
      std::memcpy(to, &word, sizeof word);
    } else {
      write_number(dtype, ordinary(random), to);
    }
  }
  return bytes;
}

std::vector<double> values_that_keep(Rule rule) {
  switch (rule) {
    case Rule::non_negative:
    case Rule::non_negative_finite:
      return {0.0, 1e-42, 1e-3, 0.3, 1.0, 7.25, 1e30, std::numeric_limits<double>::infinity()};
    case Rule::any:
    case Rule::finite:
    case Rule::number:
    case Rule::not_below_previous:  // drivers take what they are given
      return {-std::numeric_limits<double>::infinity(), -7.25, -0.3, -0.0, 0.0, 0.3, 1.0};
    case Rule::above_two:
      return {2.0 + 1e-15, 2.5, 3.7, 1e30, std::numeric_limits<double>::infinity()};
    case Rule::positive:
      return {1e-42, 1e-3, 0.3, 1.0, 7.25, 1e30, std::numeric_limits<double>::infinity()};
    case Rule::unit_interval:
      return {0.0, 1e-42, 1e-3, 0.3, 0.5, 1.0};
    case Rule::below_one:
      return {0.0, 1e-42, 1e-3, 0.3, 0.5, 0.999};
    case Rule::count:
      return {1.0, 2.0, 1e9};
    case Rule::flag:
      return {0.0, 1.0};
  }
  return {};
}

std::uint64_t word_at(const Bytes& bytes, std::size_t item, std::size_t i) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + i * item, item);
  return word;
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

Bytes hostile_elements(DType dtype, std::size_t size, std::uint64_t seed) {
  switch (dtype) {
    case DType::float16:
      return hostile_words<std::uint16_t>(dtype, size, seed, 10);
    case DType::bfloat16:
      return hostile_words<std::uint16_t>(dtype, size, seed, 7);
    case DType::float32:
      return hostile_words<std::uint32_t>(dtype, size, seed, 23);
    default:
      return hostile_words<std::uint64_t>(dtype, size, seed, 52);
  }
}

Bytes ordinary_elements(DType dtype, std::size_t size, std::uint64_t seed) {
  Random random(seed);
  Bytes bytes(size * item_size(dtype));
  for (std::size_t i = 0; i < size; ++i)
    write_number(dtype, ordinary(random), &bytes[i * item_size(dtype)]);
  return bytes;
}

Bytes parameter_values(Rule rule, DType dtype, std::size_t size, std::uint64_t seed) {
  const std::vector<double> values = values_that_keep(rule);
  const DType compute = dtype == DType::float64 ? DType::float64 : DType::float32;
  Random random(seed);
  Bytes bytes(size * item_size(compute));
  for (std::size_t i = 0; i < size; ++i) {
    write_number(compute, values[random.below(values.size())], &bytes[i * item_size(compute)]);
  }
  return bytes;
}

Array::Array(std::size_t item, std::size_t size, std::ptrdiff_t stride, std::size_t phase)
    : item_(item), size_(size), stride_(stride) {
  const auto step = static_cast<std::size_t>(std::abs(stride));
  const std::size_t extent = size > 0 ? (size - 1) * step + item : 0;
  memory_.assign(2 * kMargin + phase + extent + 64, kUntouched);
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
  first_ =
      (64 - address % 64) % 64 + kMargin + phase + (stride < 0 && size > 0 ? (size - 1) * step : 0);
}

Array::Array(std::size_t item, const Bytes& elements, std::ptrdiff_t stride, std::size_t phase)
    : Array(item, elements.size() / item, stride, phase) {
  for (std::size_t i = 0; i < size_; ++i) std::memcpy(at(i), elements.data() + i * item, item);
}

char* Array::at(std::size_t i) {
  return memory_.data() + static_cast<std::ptrdiff_t>(first_) +
         static_cast<std::ptrdiff_t>(i) * stride_;
}

Bytes Array::elements() const {
  Bytes packed(size_ * item_);
  Array& self = const_cast<Array&>(*this);
  for (std::size_t i = 0; i < size_; ++i) std::memcpy(packed.data() + i * item_, self.at(i), item_);
  return packed;
}

bool Array::gaps_untouched() const {
  Array copy = *this;
  for (std::size_t i = 0; i < size_; ++i) std::memset(copy.at(i), kUntouched, item_);
  return std::all_of(copy.memory_.begin(), copy.memory_.end(),
                     [](char c) { return c == kUntouched; });
}

std::string difference(DType dtype, const Bytes& expected, const Bytes& actual) {
  const std::size_t item = item_size(dtype);
  if (expected.size() != actual.size()) return "sizes differ";
  if (expected == actual) return "";
  std::size_t i = 0;
  while (word_at(expected, item, i) == word_at(actual, item, i)) ++i;
  char text[128];
  std::snprintf(text, sizeof text, "element %zu of %zu: expected %#llx, got %#llx", i,
                expected.size() / item, static_cast<unsigned long long>(word_at(expected, item, i)),
                static_cast<unsigned long long>(word_at(actual, item, i)));
  return text;
}

}  // namespace bridle::test
