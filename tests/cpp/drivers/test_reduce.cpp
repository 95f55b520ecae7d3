// Penalties: the bits of the promised order of summation, whatever the layout, the instruction set
// and the threads.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "data.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

std::vector<double> values(DType dtype, const Bytes& elements) {
  std::vector<double> result;
  for (std::size_t i = 0; i < elements.size(); i += item_size(dtype))
    result.push_back(value_of(dtype, &elements[i]));
  return result;
}

// Bit for bit, but a NaN is as good as any other.
bool agree(const std::vector<double>& expected, const std::vector<double>& actual) {
  for (std::size_t s = 0; s < expected.size(); ++s) {
    if (std::isnan(expected[s]) && std::isnan(actual[s])) continue;
    if (std::memcmp(&expected[s], &actual[s], sizeof(double)) != 0) return false;
  }
  return expected.size() == actual.size();
}

template <class Test>
void for_each_penalty(Test test) {
  for (std::size_t op = 0; op < reduce_operators().size(); ++op) {
    for (const DType dtype : kAllTypes) {
      CAPTURE(reduce_operators()[op].name);
      CAPTURE(name_of(dtype));
      test(static_cast<int>(op), reduce_operators()[op], dtype);
    }
  }
}

void check_vector(int index, const ReduceOperator& op, DType dtype, const Bytes& elements,
                  std::ptrdiff_t stride) {
  CAPTURE(stride);
  const std::vector<double> expected = reference_sums(op, values(dtype, elements));
  Array w(item_size(dtype), elements, stride, item_size(dtype));
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    std::vector<double> sums(op.sums, -1.0);
    reduce(index, dtype, w.operand(), elements.size() / item_size(dtype), op.parameters.data(),
           sums.data());
    CHECK(agree(expected, sums));
  });
}

TEST_CASE("a sum has the bits of the promised order") {
  for_each_penalty([](int index, const ReduceOperator& op, DType dtype) {
    const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
    for (const std::size_t size : {0, 1, 31, 32, 33, 131, 4095, 4096, 4097, 3 * 4096 + 5}) {
      CAPTURE(size);
      const Bytes elements = ordinary_elements(dtype, size, size);
      for (const std::ptrdiff_t stride : {item, 2 * item, -item, item + 1}) {
        check_vector(index, op, dtype, elements, stride);
      }
    }
  });
}

TEST_CASE("infinities and NaN reach the sum") {
  for_each_penalty([](int index, const ReduceOperator& op, DType dtype) {
    for (const std::size_t size : {1, 5, 33, 4100}) {
      CAPTURE(size);
      check_vector(index, op, dtype, hostile_elements(dtype, size, size),
                   static_cast<std::ptrdiff_t>(item_size(dtype)));
    }
  });
}

TEST_CASE("the number of threads does not show in a sum") {
  for_each_penalty([](int index, const ReduceOperator& op, DType dtype) {
    const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
    for (const std::size_t size : {std::size_t{64 * 1024}, 25 * kChunk + 77}) {
      CAPTURE(size);
      const Bytes elements = ordinary_elements(dtype, size, size);
      for (int threads = 1; threads <= 4; ++threads) {
        CAPTURE(threads);
        set_num_threads(threads);
        check_vector(index, op, dtype, elements, threads % 2 == 0 ? item : -item);
      }
    }
  });
  set_num_threads(0);
}

TEST_CASE("more subtrees than one thread keeps at hand") {
  const std::size_t size =
      2 * 512 * kChunk + 4 * kChunk + 3;  // the tree is cut above its second level
  check_vector(0, reduce_operators()[0], DType::float32, ordinary_elements(DType::float32, size, 1),
               4);
}

// A C-ordered matrix of which every column, or every row, is one vector.
struct Matrix {
  DType dtype;
  std::size_t rows, columns;
  Bytes elements;

  Matrix(DType type, std::size_t n, std::size_t m)
      : dtype(type), rows(n), columns(m), elements(ordinary_elements(type, n * m, n + m)) {}

  std::vector<double> vector(std::size_t first, std::size_t step, std::size_t size) const {
    std::vector<double> result;
    for (std::size_t i = 0; i < size; ++i) {
      result.push_back(value_of(dtype, &elements[(first + i * step) * item_size(dtype)]));
    }
    return result;
  }
};

void check_matrix(int index, const ReduceOperator& op, const Matrix& matrix, bool by_column) {
  CAPTURE(by_column);
  const std::size_t count = by_column ? matrix.columns : matrix.rows;
  const std::size_t size = by_column ? matrix.rows : matrix.columns;
  const std::size_t step = by_column ? matrix.columns : 1, apart = by_column ? 1 : matrix.columns;
  const auto item = static_cast<std::ptrdiff_t>(item_size(matrix.dtype));
  std::vector<double> expected;
  for (std::size_t v = 0; v < count; ++v) {
    for (const double sum : reference_sums(op, matrix.vector(v * apart, step, size)))
      expected.push_back(sum);
  }
  const std::vector<double> parameters = parameters_of(op, count);
  Array w(item_size(matrix.dtype), matrix.elements, item);
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    std::vector<double> sums(count * op.sums, -1.0);
    const Operand first{w.operand().data, static_cast<std::ptrdiff_t>(step) * item};
    const Vectors vectors{first, size, static_cast<std::ptrdiff_t>(apart) * item, count};
    reduce_many(index, matrix.dtype, vectors, parameters.data(), sums.data());
    CHECK(agree(expected, sums));
  });
}

TEST_CASE("rows and columns are sums like any other") {
  struct Shape {
    std::size_t rows, columns;
  };
  const Shape shapes[] = {{0, 3},   {3, 0},   {1, 1},    {1, 70},   {33, 1},   {5, 63},
                          {64, 64}, {31, 65}, {4100, 9}, {9, 4100}, {700, 130}};
  for_each_penalty([&](int index, const ReduceOperator& op, DType dtype) {
    for (const auto& [rows, columns] : shapes) {
      CAPTURE(rows);
      CAPTURE(columns);
      const Matrix matrix(dtype, rows, columns);
      check_matrix(index, op, matrix, true);
      check_matrix(index, op, matrix, false);
    }
  });
}

TEST_CASE("the number of threads does not show in rows and columns") {
  for_each_penalty([](int index, const ReduceOperator& op, DType dtype) {
    const Matrix wide(dtype, 300, 500), long_rows(dtype, 2, 70000);
    for (int threads = 1; threads <= 4; ++threads) {
      CAPTURE(threads);
      set_num_threads(threads);
      check_matrix(index, op, wide, true);
      check_matrix(index, op, wide, false);
      check_matrix(index, op, long_rows, false);
    }
  });
  set_num_threads(0);
}

}  // namespace
}  // namespace bridle::test
