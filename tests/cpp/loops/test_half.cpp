// Half types: all 65536 values, and the rounding of floats against arithmetic in double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "data.hpp"
#include "primitives.hpp"
#include "reference.hpp"

namespace bridle::test {
namespace {

// A binary format of 16 bits.
struct Format {
  int mantissa_bits, exponent_bias;

  int infinity() const { return 0x7fff >> mantissa_bits << mantissa_bits; }
  bool is_nan(std::uint32_t bits) const { return static_cast<int>(bits & 0x7fff) > infinity(); }
  int exponent_of(std::uint32_t bits) const {
    return static_cast<int>((bits & 0x7fff) >> mantissa_bits);
  }
};
constexpr Format kHalf{10, 15}, kBFloat{7, 127};

double decode(Format format, std::uint32_t bits) {
  const int exponent = format.exponent_of(bits);
  const int fraction = static_cast<int>(bits) & ((1 << format.mantissa_bits) - 1);
  const int implicit = exponent > 0 ? 1 << format.mantissa_bits : 0;
  const double magnitude =
      static_cast<int>(bits & 0x7fff) == format.infinity()
          ? std::numeric_limits<double>::infinity()
          : std::ldexp(fraction + implicit,
                       (exponent > 0 ? exponent : 1) - format.exponent_bias - format.mantissa_bits);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// Rounded to nearest even with the one rounding that nearbyint does, every zero positive; not for
// NaN.
std::uint16_t encode(Format format, double x) {
  const double magnitude = std::fabs(x);
  const std::uint32_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isinf(magnitude)) return static_cast<std::uint16_t>(format.infinity() | sign);
  int exponent = magnitude == 0 ? -2000 : std::ilogb(magnitude);
  exponent = std::max(exponent, 1 - format.exponent_bias);
  const auto units = static_cast<std::uint32_t>(
      std::nearbyint(std::ldexp(magnitude, format.mantissa_bits - exponent)));
  const int biased =
      exponent + format.exponent_bias - 1;  // the implicit one, if any, adds the missing 1
  const std::uint32_t bits = (static_cast<std::uint32_t>(biased) << format.mantissa_bits) + units;
  const std::uint32_t limited =
      std::min<std::uint32_t>(bits, static_cast<std::uint32_t>(format.infinity()));
  return static_cast<std::uint16_t>(limited == 0 ? 0 : limited | sign);
}

float float_from(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
std::uint32_t bits_from(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

// Both types behind one face.
struct Conversion {
  Format format;
  void (*widen)(const Primitives&, const std::uint16_t*, float*, std::size_t);
  void (*narrow)(const Primitives&, const float*, std::uint16_t*, std::size_t);
};
const Conversion kConversions[] = {
    {kHalf,
     [](const Primitives& p, const std::uint16_t* x, float* wide, std::size_t n) {
       p.widen_half(reinterpret_cast<const Float16*>(x), wide, n);
     },
     [](const Primitives& p, const float* wide, std::uint16_t* out, std::size_t n) {
       p.narrow_half(wide, reinterpret_cast<Float16*>(out), n);
     }},
    {kBFloat,
     [](const Primitives& p, const std::uint16_t* x, float* wide, std::size_t n) {
       p.widen_bfloat16(reinterpret_cast<const BFloat16*>(x), wide, n);
     },
     [](const Primitives& p, const float* wide, std::uint16_t* out, std::size_t n) {
       p.narrow_bfloat16(wide, reinterpret_cast<BFloat16*>(out), n);
     }}};

template <class Test>
void for_each_conversion(Test test) {
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (!instruction_set(i).supported()) continue;
    CAPTURE(std::string(instruction_set(i).name));
    for (const Conversion& conversion : kConversions) {
      CAPTURE(conversion.format.mantissa_bits);
      test(conversion, primitives(i));
    }
  }
}

std::vector<std::uint16_t> all_values() {
  std::vector<std::uint16_t> values(65536);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint16_t>(i);
  return values;
}

// What comes back after widening and narrowing: the same value, −0.0 as +0.0 and a NaN quiet.
std::uint16_t round_trip(Format format, std::uint16_t bits) {
  if (format.is_nan(bits))
    return static_cast<std::uint16_t>(bits | 1 << (format.mantissa_bits - 1));
  return bits == 0x8000 ? 0 : bits;
}

// Floats around all boundaries between two 16-bit values, and any floats.
std::vector<float> floats_to_round(Format format, std::uint64_t seed) {
  std::vector<float> floats;
  const auto infinity = static_cast<std::uint32_t>(format.infinity());
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const double low = decode(format, bits);
    const double high =
        bits + 1 < infinity ? decode(format, bits + 1) : 2 * low - decode(format, bits - 1);
    const auto middle = static_cast<float>(low + (high - low) / 2);  // exact
    for (const float x : {static_cast<float>(low), middle}) {
      for (const float near : {x, std::nextafter(x, 0.0f), std::nextafter(x, INFINITY)}) {
        floats.push_back(near);
        floats.push_back(-near);
      }
    }
  }
  Random random(seed);
  for (int i = 0; i < 1 << 21; ++i)
    floats.push_back(float_from(static_cast<std::uint32_t>(random.next())));
  return floats;
}

TEST_CASE("all 65536 values survive widening and narrowing") {
  for_each_conversion([](const Conversion& conversion, const Primitives& with) {
    const std::vector<std::uint16_t> values = all_values();
    std::vector<float> wide(values.size());
    std::vector<std::uint16_t> back(values.size());
    conversion.widen(with, values.data(), wide.data(), values.size());
    conversion.narrow(with, wide.data(), back.data(), values.size());
    int wrong = 0;
    for (const std::uint16_t bits : values) {
      const bool nan = conversion.format.is_nan(bits);
      wrong += nan ? !std::isnan(wide[bits])
                   : bits_from(wide[bits]) !=
                         bits_from(static_cast<float>(decode(conversion.format, bits)));
      wrong += back[bits] != round_trip(conversion.format, bits);
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("narrowing rounds once, to nearest even") {
  for_each_conversion([](const Conversion& conversion, const Primitives& with) {
    const std::vector<float> floats = floats_to_round(conversion.format, 1);
    std::vector<std::uint16_t> rounded(floats.size());
    conversion.narrow(with, floats.data(), rounded.data(), floats.size());
    int wrong = 0;
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const bool right = std::isnan(floats[i]) ? conversion.format.is_nan(rounded[i])
                                               : rounded[i] == encode(conversion.format, floats[i]);
      if (!right && wrong++ == 0)
        MESSAGE("first: float bits " << bits_from(floats[i]) << " gave " << rounded[i]);
    }
    CHECK(wrong == 0);
  });
}

std::vector<std::uint16_t> high_halves(const std::vector<std::uint32_t>& uniforms) {
  std::vector<std::uint16_t> result;
  for (const std::uint32_t u : uniforms) result.push_back(static_cast<std::uint16_t>(u >> 16));
  return result;
}

// Rounded at random, by exact arithmetic: away from zero if the fraction of the way to the next
// number, and that of the leading bits of u, are 1 together; -1 where either is right.
int encode_randomly(Format format, float x, std::uint32_t u) {
  const double magnitude = std::fabs(static_cast<double>(x));
  const double largest = decode(format, static_cast<std::uint32_t>(format.infinity() - 1));
  const double gap = largest - decode(format, static_cast<std::uint32_t>(format.infinity() - 2));
  const int sign = std::signbit(x) ? 0x8000 : 0;
  if (magnitude >= largest) {
    const bool nearer_to_infinity = magnitude - largest >= gap / 2;
    return format.infinity() - !nearer_to_infinity + sign;
  }
  std::uint32_t low = encode(format, magnitude);
  if (decode(format, low) > magnitude) --low;
  const double next = low + 1 == static_cast<std::uint32_t>(format.infinity())
                          ? largest + gap
                          : decode(format, low + 1);
  const double fraction = (magnitude - decode(format, low)) / (next - decode(format, low));
  const int bits = 23 - format.mantissa_bits;
  const double steps = std::ldexp(fraction, bits) + (u >> (32 - bits));
  const double least = std::ldexp(1.0, bits);
  // Float16 has subnormals with more digits than the random part.
  const bool finer = format.mantissa_bits == 10 && std::floor(steps) != steps;
  if (finer && std::fabs(steps - (least - 0.5)) < 1e-3) return -1;
  const std::uint32_t up = finer ? steps > least - 0.5 : steps >= least;
  return low + up == 0 ? 0 : static_cast<int>(low + up) + sign;
}

TEST_CASE("rounding at random goes to a neighbour, up as often as the distance says") {
  const DType types[] = {DType::float16, DType::bfloat16};
  for (int t = 0; t < 2; ++t) {
    const Format format = kConversions[t].format;
    std::vector<float> floats = floats_to_round(format, 3);
    std::vector<std::uint32_t> uniforms;
    Random random(4);
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const std::uint32_t edges[] = {0, 0xffffffff, 0x80000000, 0x7fffffff};
      const auto any = static_cast<std::uint32_t>(random.next());
      uniforms.push_back(i % 8 < 4 ? edges[i % 4] : any);
    }
    for_each_instruction_set([&](const std::string& isa) {
      CAPTURE(isa);
      CAPTURE(name_of(types[t]));
      std::vector<std::uint16_t> rounded(floats.size()), alone(floats.size());
      const HalfKernels& half = kernels().half[static_cast<int>(types[t])];
      const std::vector<std::uint16_t> high = high_halves(uniforms);
      half.narrow_randomly(floats.data(), high.data(), rounded.data(), floats.size());
      // One by one: those far from infinity are rounded by themselves then.
      for (std::size_t i = 0; i < floats.size(); ++i)
        half.narrow_randomly(&floats[i], &high[i], &alone[i], 1);
      CHECK(alone == rounded);
      int wrong = 0;
      for (std::size_t i = 0; i < floats.size(); ++i) {
        const int expected =
            std::isnan(floats[i]) ? -1 : encode_randomly(format, floats[i], uniforms[i]);
        const bool right = std::isnan(floats[i]) ? format.is_nan(rounded[i])
                                                 : expected == -1 || rounded[i] == expected;
        if (!right && wrong++ == 0)
          MESSAGE("first: float bits " << bits_from(floats[i]) << " with " << uniforms[i]
                                       << " gave " << rounded[i] << " instead of " << expected);
      }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("what needs no rounding stays as it is, whatever the uniform") {
  const DType types[] = {DType::float16, DType::bfloat16};
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (int t = 0; t < 2; ++t) {
      const HalfKernels& half = kernels().half[static_cast<int>(types[t])];
      const std::vector<std::uint16_t> values = all_values();
      std::vector<float> wide(values.size());
      half.widen(values.data(), wide.data(), values.size());
      for (const std::uint32_t u : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfff7ffffu, 0xffffffffu}) {
        const std::vector<std::uint32_t> uniforms(values.size(), u);
        std::vector<std::uint16_t> nearest(values.size()), random(values.size());
        half.narrow(wide.data(), nearest.data(), values.size());
        half.narrow_randomly(wide.data(), high_halves(uniforms).data(), random.data(),
                             values.size());
        int wrong = 0;
        for (const std::uint16_t bits : values) {
          wrong += nearest[bits] != round_trip(kConversions[t].format, bits);
          wrong += random[bits] != nearest[bits];
        }
        CHECK(wrong == 0);
      }
    }
  });
}

TEST_CASE("blocks of any length give the bits of the portable conversion, NaN included") {
  const Primitives& portable = primitives(0);
  for_each_conversion([&](const Conversion& conversion, const Primitives& with) {
    const std::vector<float> floats = floats_to_round(conversion.format, 2);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8},
                                   std::size_t{9}, std::size_t{511}, floats.size()}) {
      CAPTURE(size);
      std::vector<std::uint16_t> expected(size + 1, 7), actual(size + 1, 7);
      conversion.narrow(portable, floats.data(), expected.data(), size);
      conversion.narrow(with, floats.data(), actual.data(), size);
      CHECK(expected == actual);
    }
  });
}

}  // namespace
}  // namespace bridle::test
