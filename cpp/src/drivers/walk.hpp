// The elements of an array of any layout in C order.
#pragma once

#include <algorithm>
#include <cstddef>

namespace bridle {

inline constexpr int kMaxDimensions = 64;  // as in NumPy

// Dimensions that continue each other are merged, so that a contiguous array is one row.
class Walk {
 public:
  // One row of elements, `stride` apart.
  explicit Walk(std::ptrdiff_t stride, std::size_t length = 1) noexcept : dimensions_(1) {
    length_[0] = length;
    stride_[0] = static_cast<std::size_t>(stride);
  }

  template <class Length, class Stride>
  Walk(int dimensions, const Length* lengths, const Stride* strides) noexcept : dimensions_(0) {
    for (int d = 0; d < dimensions; ++d) {
      const auto length = static_cast<std::size_t>(lengths[d]);
      const auto stride = static_cast<std::size_t>(strides[d]);
      if (length == 1) continue;
      const int last = dimensions_ - 1;
      if (last >= 0 && stride_[last] == stride * length) {
        length_[last] *= length;
        stride_[last] = stride;
      } else {
        length_[dimensions_] = length;
        stride_[dimensions_++] = stride;
      }
    }
  }

  // Copies what there is, not all that there could be: calls for few elements take a share of this.
  Walk(const Walk& other) noexcept : dimensions_(other.dimensions_) {
    std::copy_n(other.length_, dimensions_, length_);
    std::copy_n(other.stride_, dimensions_, stride_);
  }
  Walk& operator=(const Walk&) = delete;

  // Whether all elements are one row of this stride.
  bool is_row(std::ptrdiff_t stride) const noexcept {
    return dimensions_ == 0 || (dimensions_ == 1 && stride_[0] == static_cast<std::size_t>(stride));
  }

  // The beginning of elements begin … begin + size: as many as are in one row, at least 1.
  struct Row {
    std::ptrdiff_t offset, stride;
    std::size_t count;
  };
  Row first_row(std::size_t begin, std::size_t size) const noexcept {
    const int inner = dimensions_ - 1;
    if (inner < 0) return {0, 0, size};
    const std::size_t column = begin % length_[inner];
    const std::size_t count = inner == 0 ? size : std::min(size, length_[inner] - column);
    std::size_t offset = inner == 0 ? begin * stride_[0] : column * stride_[inner];
    for (int d = inner; d > 0; --d) {
      begin /= length_[d];
      offset += begin % length_[d - 1] * stride_[d - 1];
    }
    return {static_cast<std::ptrdiff_t>(offset), static_cast<std::ptrdiff_t>(stride_[inner]),
            count};
  }

  // Calls row(offset, stride, count) for the rows that make up elements begin … begin + size: the
  // first element of a row lies at `offset`, the others `stride` apart.
  template <class Row>
  void for_each_row(std::size_t begin, std::size_t size, const Row& row) const {
    const auto signed_ = [](std::size_t x) { return static_cast<std::ptrdiff_t>(x); };
    if (dimensions_ <= 1) {
      const std::size_t stride = dimensions_ ? stride_[0] : 0;
      if (size > 0) row(signed_(begin * stride), signed_(stride), size);
      return;
    }
    const int inner = dimensions_ - 1;
    std::size_t at[kMaxDimensions];
    std::size_t offset = 0;
    for (int d = inner; d >= 0; --d) {
      at[d] = begin % length_[d];
      begin /= length_[d];
      offset += at[d] * stride_[d];
    }
    while (size > 0) {
      const std::size_t count = std::min(size, length_[inner] - at[inner]);
      row(signed_(offset), signed_(stride_[inner]), count);
      size -= count;
      at[inner] += count;
      offset += count * stride_[inner];
      for (int d = inner; d > 0 && at[d] == length_[d]; --d) {
        offset += stride_[d - 1] - length_[d] * stride_[d];
        at[d] = 0;
        ++at[d - 1];
      }
    }
  }

 private:
  int dimensions_;
  std::size_t length_[kMaxDimensions];
  std::size_t stride_[kMaxDimensions];  // unsigned: offsets of random numbers reach 2⁶⁴
};

}  // namespace bridle
