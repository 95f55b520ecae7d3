// The arguments of a call by XLA, checked: whoever compiles a program can write such a call. What
// is wrong with them is thrown as std::invalid_argument.
#pragma once

#include <algorithm>
#include <bridle/errors.hpp>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "drivers/operators.hpp"
#include "xla_ffi.hpp"

namespace bridle::xla {

using detail::fail;

inline std::span<const std::int64_t> shape(const Buffer& buffer) {
  return {buffer.dimensions, static_cast<std::size_t>(buffer.rank)};
}

inline std::size_t product_of(std::span<const std::int64_t> lengths) {
  std::size_t product = 1;
  for (const std::int64_t length : lengths) product *= static_cast<std::size_t>(length);
  return product;
}

inline std::size_t size(const Buffer& buffer) { return product_of(shape(buffer)); }

// An array as rows, each of which is what one index along each of the `outer` first dimensions
// leaves.
struct Rows {
  std::size_t count, length;
};

inline Rows rows(const char* name, const Buffer& array, std::int64_t outer) {
  if (outer < 0 || outer > array.rank) fail(name, "the array must have the dimensions of its rows");
  const auto split = static_cast<std::size_t>(outer);
  return {product_of(shape(array).first(split)), product_of(shape(array).subspan(split))};
}

// One of the operands, or the result.
inline const Buffer& buffer(const char* name, const Values& values, std::int64_t index,
                            std::int64_t count) {
  if (values.count != count) fail(name, "another version of bridle made this call");
  return *static_cast<const Buffer*>(values.values[index]);
}

inline DType float_type(const char* name, const Buffer& buffer) {
  switch (buffer.type) {
    case ElementType::f16:
      return DType::float16;
    case ElementType::bf16:
      return DType::bfloat16;
    case ElementType::f32:
      return DType::float32;
    case ElementType::f64:
      return DType::float64;
    default:
      fail(name, "the array must be of type float16, bfloat16, float32 or float64");
  }
}

// Whether there is one number for each of the rows that some of the first dimensions of x make.
inline bool are_rows(const Buffer& numbers, const Buffer& x) {
  return numbers.rank <= x.rank &&
         std::ranges::equal(shape(numbers), shape(x).first(static_cast<std::size_t>(numbers.rank)));
}

inline void check_like(const char* name, const Buffer& x, const Buffer& out) {
  if (x.type != out.type || size(x) != size(out)) fail(name, "the result must be like x");
}

constexpr ElementType compute_type(DType dtype) {
  return compute_size(dtype) == sizeof(double) ? ElementType::f64 : ElementType::f32;
}

// One number, or one for each of the rows that one index along each of the first dimensions of an
// array leaves. As JAX has them or, where that would shorten them to 32 bits, as the eight bytes of
// a double or an unsigned integer.
class Numbers {
 public:
  Numbers(const char* name, const Buffer& given, std::size_t rows)
      : type_(given.type), data_(static_cast<const char*>(given.data)), count_(size(given)) {
    if (type_ == ElementType::u8) count_ /= 8;
    if (count_ != 1 && count_ != rows) fail(name, "a number must be one, or one for each row");
  }

  bool differ() const {
    for (std::size_t i = 1; i < count_; ++i) {
      if (std::memcmp(data_, data_ + i * item(), item()) != 0) return true;
    }
    return false;
  }

  // Checked by the rule of a parameter.
  double parameter(const char* name, const Param& param, std::size_t row) const {
    if (type_ == ElementType::f32) return checked(name, param, read<float>(row));
    if (type_ == ElementType::f64 || type_ == ElementType::u8) {
      return checked(name, param, read<double>(row));
    }
    fail(name, std::string(param.name) + " must be of type float32 or float64");
  }

  // One of the integers that name a random number.
  std::uint64_t counter(const char* name, const char* parameter, std::size_t row) const {
    const auto not_negative = [&](std::int64_t value) {
      if (value >= 0) return static_cast<std::uint64_t>(value);
      fail(name, std::string(parameter) + " must be >= 0 and < 18446744073709551616, got " +
                     std::to_string(value));
    };
    switch (type_) {
      case ElementType::u8:
      case ElementType::u64:
        return read<std::uint64_t>(row);
      case ElementType::u32:
        return read<std::uint32_t>(row);
      case ElementType::s64:
        return not_negative(read<std::int64_t>(row));
      case ElementType::s32:
        return not_negative(read<std::int32_t>(row));
      default:
        fail(name, std::string(parameter) + " must be an integer of 32 or 64 bits");
    }
  }

 private:
  template <class T>
  static double checked(const char* name, const Param& param, T value) {
    detail::check_parameter(name, param, value);
    return static_cast<double>(value);
  }

  std::size_t item() const {
    const bool is_short =
        type_ == ElementType::f32 || type_ == ElementType::s32 || type_ == ElementType::u32;
    return is_short ? 4 : 8;
  }

  template <class T>
  T read(std::size_t row) const {
    T value;
    std::memcpy(&value, data_ + (count_ == 1 ? 0 : row) * sizeof(T), sizeof(T));
    return value;
  }

  ElementType type_;
  const char* data_;
  std::size_t count_;
};

// The attribute of this name: int64 numbers.
inline std::span<const std::int64_t> integers(const char* name, const Attributes& attributes,
                                              std::string_view wanted) {
  for (std::int64_t i = 0; i < attributes.count; ++i) {
    if (std::string_view(attributes.names[i]->begin, attributes.names[i]->size) != wanted) continue;
    if (attributes.types[i] != AttributeType::array) break;
    const auto& array = *static_cast<const Array*>(attributes.values[i]);
    if (array.type != ElementType::s64) break;
    return {static_cast<const std::int64_t*>(array.data), array.count};
  }
  fail(name, "another version of bridle made this call");
}

}  // namespace bridle::xla
