// Structures of programs that were compiled with an older or a newer header.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "c/arguments.hpp"

namespace bridle::test {
namespace {

struct First {
  std::uint32_t size;
  std::int32_t a;
};
struct Now {
  std::uint32_t size;
  std::int32_t a;
  double b;
};

constexpr Now kInitial = {sizeof(Now), 1, 2.0};

// A structure of the first version, and what must not be written behind it.
struct Older {
  alignas(Now) First first = {sizeof(First), 7};
  double behind = 9.0;

  Now* as_now() { return reinterpret_cast<Now*>(&first); }
};

TEST_CASE("what an older structure lacks is as it is initialized") {
  Older older;
  Now now = kInitial;
  CHECK(c::read_structure(older.as_now(), sizeof(First), now));
  CHECK(now.a == 7);
  CHECK(now.b == 2.0);
}

TEST_CASE("nothing is written behind an older structure, and sizes stay") {
  Older older;
  c::write_structure({0, 3, 4.0}, older.as_now());
  CHECK(older.first.a == 3);
  CHECK(older.first.size == sizeof(First));
  CHECK(older.behind == 9.0);
  Now now = kInitial;
  c::write_structure({0, 3, 4.0}, &now);
  CHECK(now.b == 4.0);
  CHECK(now.size == sizeof(Now));
}

TEST_CASE("null is initial; a size that never was, or another alignment, is refused") {
  Now now = kInitial;
  CHECK(c::read_structure<Now>(nullptr, sizeof(First), now));
  CHECK(now.a == 1);
  for (const std::size_t size : std::initializer_list<std::size_t>{
           0, sizeof(First) - 1, sizeof(First) + 4, sizeof(Now) + 1, 0xffffffff}) {
    const Now other = {static_cast<std::uint32_t>(size), 7, 7.0};
    CHECK_FALSE(c::is_structure(&other, sizeof(First)));
    CHECK_FALSE(c::read_structure(&other, sizeof(First), now));
  }
  alignas(Now) char bytes[2 * sizeof(Now)] = {};
  CHECK_FALSE(c::is_structure(reinterpret_cast<const Now*>(bytes + 1), sizeof(First)));
  CHECK(now.a == 1);
}

}  // namespace
}  // namespace bridle::test
