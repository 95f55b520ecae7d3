// Instruction sets: the best one is in use, and any that the machine has can be chosen.
#include <doctest/doctest.h>

#include <string>

#include "dispatch.hpp"

#if defined(__x86_64__)
#include "x86_levels.hpp"
#endif

namespace bridle::test {
namespace {

TEST_CASE("the best instruction set of this machine is in use") {
  std::string best;
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (instruction_set(i).supported()) best = instruction_set(i).name;
  }
  CHECK(active_instruction_set().name == best);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

TEST_CASE("the levels of the processor are those that gcc sees") {
  CHECK(supports_x86_64_v3() == (__builtin_cpu_supports("x86-64-v3") != 0));
  CHECK(supports_x86_64_v4() == (__builtin_cpu_supports("x86-64-v4") != 0));
}

#endif

TEST_CASE("one that is not here changes nothing") {
  const InstructionSet* const before = &active_instruction_set();
  CHECK_FALSE(select_instruction_set("sse9"));
  CHECK_FALSE(select_instruction_set(""));
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (!instruction_set(i).supported())
      CHECK_FALSE(select_instruction_set(instruction_set(i).name));
  }
  CHECK(&active_instruction_set() == before);
}

TEST_CASE("each that is here can be chosen") {
  const std::string before = active_instruction_set().name;
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (!instruction_set(i).supported()) continue;
    CHECK(select_instruction_set(instruction_set(i).name));
    CHECK(&active_instruction_set() == &instruction_set(i));
    CHECK(&kernels() == instruction_set(i).kernels);
  }
  CHECK(select_instruction_set(before.c_str()));
}

TEST_CASE("no table has a hole") {
  for (int i = 0; i < instruction_set_count(); ++i) {
    CAPTURE(std::string(instruction_set(i).name));
    const KernelTable& table = *instruction_set(i).kernels;
    for (int dtype = 0; dtype < kDTypes; ++dtype) {
      CAPTURE(dtype);
      for (const auto& map : table.map.of) CHECK((map[dtype].scalar && map[dtype].arrays));
      for (const auto& reduce : table.reduce.of) {
        CHECK((reduce[dtype].vector && reduce[dtype].columns && reduce[dtype].each));
      }
      for (const auto& noise : table.noise.of) CHECK((noise[dtype] != nullptr));
    }
    const NoiseTable& noise = table.noise;
    CHECK((noise.draw_decisions && noise.draw_normals && noise.mask_bytes));
    CHECK((noise.pack_bits && noise.unpack_bits && noise.drawn > 0));
  }
}

}  // namespace
}  // namespace bridle::test
