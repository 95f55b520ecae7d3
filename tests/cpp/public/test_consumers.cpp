// Programs compiled with other flags than the library get the same bits, also when translation
// units with different flags are linked together.
#include <doctest/doctest.h>

#include <string_view>

#include "consumer.hpp"
#include "public.hpp"

namespace bridle::test {
namespace {

template <class T>
void check_same(const Results<T>& actual, const Results<T>& expected) {
  REQUIRE(actual.arrays.size() == expected.arrays.size());
  for (std::size_t i = 0; i < expected.arrays.size(); ++i) {
    CAPTURE(i);
    CHECK(first_difference(actual.arrays[i], expected.arrays[i]) == expected.arrays[i].size());
  }
  CHECK(actual.penalties == expected.penalties);
}

TEST_CASE("the flags of a program do not show in the results") {
  for (const Consumer* other : {&unoptimized::consumer, &native::consumer}) {
    CAPTURE(other->instruction_set);
    check_same(other->floats(), plain::consumer.floats());
    check_same(other->doubles(), plain::consumer.doubles());
  }
}

TEST_CASE("a pass has the bits of the function") {
  const Results<float> results = native::consumer.floats();
  for (std::size_t i = 0; i + 1 < 2 * MapOps::size; i += 2) {
    CAPTURE(i);
    CHECK(first_difference(results.arrays[i], results.arrays[i + 1]) == results.arrays[i].size());
  }
}

TEST_CASE("translation units for other instruction sets do not share functions") {
  for (const Consumer* one : {&plain::consumer, &unoptimized::consumer, &native::consumer}) {
    CHECK((std::string_view(one->instruction_set) != "portable") == one->wide);
  }
}

}  // namespace
}  // namespace bridle::test
