// Elementwise operators: every instruction set gives the bits of the formula applied element by
// element.
#include <doctest/doctest.h>

#include <algorithm>

#include "data.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

// How a parameter is given.
enum class Form { number, array, every_other, reversed };

std::ptrdiff_t stride_of(Form form, std::size_t item) {
  const auto step = static_cast<std::ptrdiff_t>(item);
  return form == Form::number        ? 0
         : form == Form::array       ? step
         : form == Form::every_other ? 2 * step
                                     : -step;
}

// One call, prepared: the operands, and what must come out.
struct Case {
  DType dtype;
  std::size_t size;
  Bytes x, expected;
  std::vector<Array> parameters;
};

Case make_case(const MapOperator& op, DType dtype, std::size_t size,
               const std::vector<Form>& forms) {
  const std::size_t item = item_size(dtype), compute = compute_size(dtype);
  Case result{
      dtype, size, hostile_elements(dtype, size, 1000 * size + item), Bytes(size * item), {}};
  std::vector<Bytes> values;
  for (std::size_t p = 0; p < op.rules.size(); ++p) {
    const Form form = forms[p % forms.size()];
    values.push_back(
        parameter_values(op.rules[p], dtype, form == Form::number ? 1 : size, 7 * size + p));
    result.parameters.emplace_back(compute, values[p], stride_of(form, compute));
  }
  for (std::size_t i = 0; i < size; ++i) {
    const void* parameters[kMaxOperands];
    for (std::size_t p = 0; p < values.size(); ++p) {
      parameters[p] = values[p].data() + (values[p].size() > compute ? i * compute : 0);
    }
    op.apply[static_cast<int>(dtype)](&result.x[i * item], parameters, &result.expected[i * item]);
  }
  return result;
}

void call_map(int op, Case& test, Operand x, Operand out) {
  MapCall call{{x}, test.size, Output::fresh};
  std::size_t next = 1;
  for (Array& parameter : test.parameters) call.operand[next++] = parameter.operand();
  call.operand[next] = out;
  map(op, test.dtype, call);
}

void check_out_of_place(int op, Case& test, std::ptrdiff_t x_stride, std::ptrdiff_t out_stride,
                        std::size_t phase) {
  const std::size_t item = item_size(test.dtype);
  CAPTURE(x_stride);
  CAPTURE(out_stride);
  CAPTURE(phase);
  Array x(item, test.x, x_stride, phase), out(item, test.size, out_stride, phase);
  call_map(op, test, x.operand(), out.operand());
  CHECK(difference(test.dtype, test.expected, out.elements()) == "");
  CHECK(out.gaps_untouched());
  CHECK(x.elements() == test.x);
}

void check_in_place(int op, Case& test, std::ptrdiff_t stride) {
  CAPTURE(stride);
  Array x(item_size(test.dtype), test.x, stride);
  call_map(op, test, x.operand(), x.operand());
  CHECK(difference(test.dtype, test.expected, x.elements()) == "");
  CHECK(x.gaps_untouched());
}

void check_layouts(int op, Case& test) {
  const auto item = static_cast<std::ptrdiff_t>(item_size(test.dtype));
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    check_out_of_place(op, test, item, item, 0);
    check_out_of_place(op, test, item, item, item_size(test.dtype));  // off the vectors' alignment
    check_out_of_place(op, test, -item, item, 0);
    check_out_of_place(op, test, item, -2 * item, 0);
    check_out_of_place(op, test, item + 1, item + 3, 0);  // fields of a packed record
    for (const std::ptrdiff_t stride : {item, -item, 3 * item}) check_in_place(op, test, stride);
  });
}

const std::vector<std::vector<Form>> kForms = {{Form::number},
                                               {Form::array},
                                               {Form::array, Form::number},
                                               {Form::every_other, Form::reversed},
                                               {Form::number, Form::reversed}};

template <class Test>
void for_each_operator(Test test) {
  for (std::size_t op = 0; op < map_operators().size(); ++op) {
    for (const DType dtype : kAllTypes) {
      CAPTURE(map_operators()[op].name);
      CAPTURE(name_of(dtype));
      test(static_cast<int>(op), map_operators()[op], dtype);
    }
  }
}

// Each with a different number of threads, all with the same bits.
void check_threads(int index, const MapOperator& op, DType dtype, const std::vector<Form>& forms,
                   std::ptrdiff_t stride) {
  Case test = make_case(op, dtype, 4 * 32 * 1024 + 1234, forms);
  for (int threads = 1; threads <= 4; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    check_in_place(index, test, stride);
  }
  set_num_threads(0);
}

TEST_CASE("a kernel gives the bits of the formula in every layout and size") {
  for_each_operator([](int index, const MapOperator& op, DType dtype) {
    for (const std::vector<Form>& forms : kForms) {
      for (const std::size_t size :
           {0, 1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 67, 511, 512, 513, 2051}) {
        CAPTURE(size);
        Case test = make_case(op, dtype, size, forms);
        check_layouts(index, test);
      }
    }
  });
}

TEST_CASE("the number of threads does not show in the result") {
  for_each_operator([](int index, const MapOperator& op, DType dtype) {
    const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
    check_threads(index, op, dtype, {Form::number}, item);
    check_threads(index, op, dtype, {Form::array}, -item);
  });
}

TEST_CASE("one number may stand for x") {
  for_each_operator([](int index, const MapOperator& op, DType dtype) {
    Case test = make_case(op, dtype, 100, {Form::number});
    const std::size_t item = item_size(dtype);
    Array x(item, 1, 0), out(item, test.size, static_cast<std::ptrdiff_t>(item));
    call_map(index, test, x.operand(), out.operand());
    const Bytes elements = out.elements();
    CHECK(std::equal(elements.begin() + static_cast<std::ptrdiff_t>(item), elements.end(),
                     elements.begin()));
  });
}

}  // namespace
}  // namespace bridle::test
