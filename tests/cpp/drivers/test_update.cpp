// Fused updates: every kernel gives the bits of the functor applied to one element after another,
// on every instruction set, and nothing else is written.
#include <doctest/doctest.h>

#include <bridle/loops/storage.hpp>

#include "chacha_reference.hpp"
#include "threads/parallel.hpp"
#include "update_case.hpp"

namespace bridle::test {
namespace {

constexpr Present kPresent[] = {
    {true, true, 3}, {true, false, 3}, {false, true, 0}, {true, false, 0}, {true, true, 1}};

template <class Test>
void for_each_update(Test test) {
  for (std::size_t op = 0; op < update_operators().size(); ++op) {
    CAPTURE(update_operators()[op].name);
    test(static_cast<int>(op), update_operators()[op]);
  }
}

void check_kernels(int index, const UpdateOperator& op, DType dtype, std::size_t size,
                   Present present, std::size_t phase) {
  for (const UpdateForm form : kUpdateForms) {
    for (const bool cautious : {false, true}) {
      const UpdateNumbers numbers = update_numbers(cautious);
      UpdateCase reference(dtype, dtype, size, present, 7 * size + phase);
      const std::vector<UpdateElement> expected = reference.expected(op, numbers, form);
      for_each_instruction_set([&](const std::string& isa) {
        CAPTURE(isa);
        UpdateCase test = reference;
        kernels().update.of[index][dtype == DType::float64][form.adaptive]
                           [static_cast<int>(form.kind)](test.memory(), numbers, size, nullptr);
        CHECK(difference(expected, test.elements(), present.states) == "");
        CHECK(test.gaps_untouched());
      });
    }
  }
}

TEST_CASE("a kernel gives the bits of the functor in every size and place") {
  for_each_update([](int index, const UpdateOperator& op) {
    for (const DType dtype : {DType::float32, DType::float64}) {
      for (const Present present : kPresent) {
        for (const std::size_t size : {0, 1, 7, 16, 33, 255, 256, 257, 513, 1000}) {
          CAPTURE(size);
          check_kernels(index, op, dtype, size, present, size % 3);
        }
      }
    }
  });
}

constexpr RandomKey kKey{0x0123456789abcdef, 77};
constexpr std::uint64_t kIndex = (1ull << 40) + 300;

template <class S>
double rounded(float x, bool stochastic, std::uint64_t position) {
  S out;
  if (stochastic) {
    narrow_randomly(x, static_cast<std::uint16_t>(uniform(kKey, kIndex + position) >> 16), out);
  } else {
    narrow(x, out);
  }
  return widen(out);
}

double stored(DType dtype, double x, bool stochastic, std::uint64_t position) {
  const auto single = static_cast<float>(x);
  return dtype == DType::float16    ? rounded<Float16>(single, stochastic, position)
         : dtype == DType::bfloat16 ? rounded<BFloat16>(single, stochastic, position)
                                    : x;
}

// The arrays of one call: many small ones, and two that several threads share.
constexpr std::size_t kSizes[] = {5, 0, 1025, 4096, 70'001, 1, 300, 5000, 66'000, 40'000, 17};

struct List {
  List(DType dtype, DType gradient_dtype, Present present) {
    std::uint64_t first = 0;
    for (const std::size_t size : kSizes) {
      cases.emplace_back(dtype, gradient_dtype, size, present, first + size);
      first += size;
    }
    list_arrays();
  }
  List(const List& other) : cases(other.cases) { list_arrays(); }
  List& operator=(const List&) = delete;

  void list_arrays() {
    numbers.assign(std::size(kSizes), update_numbers(false));
    std::uint64_t first = 0;
    for (std::size_t a = 0; a < std::size(kSizes); ++a) {
      const std::size_t size = kSizes[a];
      numbers[a].coupled = size % 4 == 1 ? 0.2 : 0.0;
      numbers[a].keep = 0.9;
      numbers[a].l1 = size % 2 ? 0.3 : 0.0;
      numbers[a].l2 = size % 3 ? 0.0 : 0.1;
      arrays.push_back(cases[a].array(numbers[a], first));
      first += size;
    }
  }

  std::vector<UpdateCase> cases;
  std::vector<UpdateNumbers> numbers;
  std::vector<UpdateArray> arrays;
};

// The cheapest form that does all of what is asked for.
UpdateForm form_of(const UpdateCall& call, const UpdateArray& array) {
  const UpdateNumbers& numbers = *array.numbers;
  const bool full = array.data[UpdateRole::toward] || numbers.cautious || numbers.coupled != 0;
  const UpdateKind kind = full              ? UpdateKind::full
                          : numbers.l2 != 0 ? UpdateKind::elastic
                          : numbers.l1 != 0 ? UpdateKind::sparse
                                            : UpdateKind::plain;
  return {kind, call.adaptive};
}

// What must become of array `a` of a list.
std::vector<UpdateElement> expected_of(const UpdateCall& call, const UpdateOperator& op,
                                       const List& list, std::size_t a) {
  const UpdateArray& array = list.arrays[a];
  std::vector<UpdateElement> result =
      list.cases[a].expected(op, *array.numbers, form_of(call, array));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].weight =
        stored(call.types[UpdateRole::weights], result[i].weight, call.stochastic, array.first + i);
  }
  return result;
}

UpdateSums expected_sums(const UpdateArray& array, const std::vector<UpdateElement>& elements) {
  UpdateSums sums{};
  std::vector<double> weights;
  for (const UpdateElement& element : elements) {
    weights.push_back(element.weight);
    sums.nonzeros += element.weight != 0;
    sums.not_finite += !(element.weight - element.weight == 0);
  }
  if (array.numbers->l1 != 0 || array.numbers->l2 != 0) {
    const std::vector<double> both = reference_sums(reduce_operators()[2], weights);
    sums.absolute = both[0];
    sums.squares = array.numbers->l2 != 0 ? both[1] : 0;
  }
  return sums;
}

// Threads that have slept for a while are not woken for work of medium size but once.
void wake_threads() {
  static const std::vector<float> numbers(100'000);
  for (int i = 0; i < 2; ++i) {
    double sums[kMaxSums];
    auto* const data = reinterpret_cast<char*>(const_cast<float*>(numbers.data()));
    constexpr double kStrength[] = {1.0};
    reduce(0, DType::float32, {data, sizeof(float)}, numbers.size(), kStrength, sums);
  }
}

void check_list(UpdateCall call, const UpdateOperator& op, const List& before) {
  std::vector<std::vector<UpdateElement>> expected;
  for (std::size_t a = 0; a < std::size(kSizes); ++a) {
    expected.push_back(expected_of(call, op, before, a));
  }
  for (int threads = 1; threads <= 3; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    List list(before);
    call.arrays = list.arrays.data();
    call.count = list.arrays.size();
    std::vector<UpdateSums> sums(call.count);
    wake_threads();
    update(call, sums.data());
    for (std::size_t a = 0; a < call.count; ++a) {
      CAPTURE(kSizes[a]);
      CHECK(difference(expected[a], list.cases[a].elements(), 3) == "");
      CHECK(list.cases[a].gaps_untouched());
      const UpdateSums wanted = expected_sums(list.arrays[a], expected[a]);
      CHECK(same_number(sums[a].absolute, wanted.absolute));
      CHECK(same_number(sums[a].squares, wanted.squares));
      CHECK(sums[a].nonzeros == wanted.nonzeros);
      CHECK((sums[a].not_finite > 0) == (wanted.not_finite > 0));
    }
  }
  set_num_threads(0);
}

TEST_CASE("a list of arrays: element by element, with any number of threads, in order summed") {
  for_each_update([](int index, const UpdateOperator& op) {
    for (const DType dtype : kAllTypes) {
      CAPTURE(name_of(dtype));
      const bool half = item_size(dtype) == 2;
      for (const bool stochastic : {false, true}) {
        if (stochastic && !half) continue;
        UpdateCall call{};
        call.op = index;
        const DType gradient = stochastic ? DType::float32 : dtype;
        set_types(dtype, gradient, call);
        call.adaptive = index % 2 != 0;
        call.stochastic = stochastic;
        call.key = kKey;
        call.index = kIndex;
        check_list(call, op, List(dtype, gradient, {true, dtype != DType::float32, 3}));
      }
    }
  });
}

TEST_CASE("elements are counted whatever they are") {
  for_each_instruction_set([](const std::string& isa) {
    CAPTURE(isa);
    for (const DType dtype : kAllTypes) {
      CAPTURE(name_of(dtype));
      for (const std::size_t size : {0, 1, 15, 33, 4095, 4096}) {
        const Bytes elements = hostile_elements(dtype, size, size);
        double counts[] = {10, 20};
        kernels().count[static_cast<int>(dtype)](elements.data(), size, counts);
        double nonzeros = 10, others = 20;
        for (std::size_t i = 0; i < size; ++i) {
          const double x = value_of(dtype, &elements[i * item_size(dtype)]);
          nonzeros += x != 0;
          others += !(x - x == 0);
        }
        CHECK(counts[0] == nonzeros);
        CHECK((counts[1] > 20) == (others > 20));
      }
    }
  });
}

}  // namespace
}  // namespace bridle::test
