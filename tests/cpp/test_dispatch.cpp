// Instruction sets: the best one is in use, and any that the machine has can be chosen.
#include <doctest/doctest.h>

#include <string>

#include "dispatch.hpp"

namespace bridle::test {
namespace {

TEST_CASE("the best instruction set of this machine is in use") {
  std::string best;
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (instruction_set(i).supported()) best = instruction_set(i).name;
  }
  CHECK(active_instruction_set().name == best);
}

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
      for (const auto& kernels : table.map) CHECK((kernels[dtype].scalar && kernels[dtype].arrays));
      for (const auto& kernels : table.reduce) CHECK((kernels[dtype] != nullptr));
      for (const auto& kernels : table.reduce_columns) CHECK((kernels[dtype] != nullptr));
      for (const auto& noise : table.noise) CHECK((noise[dtype] != nullptr));
    }
    CHECK((table.draw_decisions && table.draw_normals && table.mask_bytes));
    CHECK((table.pack_bits && table.unpack_bits && table.drawn > 0));
  }
}

}  // namespace
}  // namespace bridle::test
