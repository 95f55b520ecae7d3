// The random bits: every instruction set draws those of the definition.
#include <doctest/doctest.h>

#include "chacha_reference.hpp"
#include "data.hpp"
#include "primitives.hpp"

namespace bridle::test {
namespace {

constexpr RandomKey kKeys[] = {
    {0, 0}, {1, 2}, {0xffffffffffffffff, 0x8000000000000001}, {0x0123456789abcdef, 1ull << 32}};

// Superblocks at the start, where the counter's low word is about to carry, and at the very end.
constexpr std::uint64_t kSuperblocks[] = {
    0, 1, 7, (1ull << 28) - 2, (1ull << 28) - 1, 1ull << 28, (1ull << 55) - 2};

TEST_CASE("the reference is ChaCha: the published key stream of a zero key with 8 rounds") {
  const std::uint32_t published[] = {0x2fef003e, 0xd6405f89, 0xe8b85b7f, 0xa1a5091f,
                                     0xc30e842c, 0x3b7f9ace, 0x88e11b18, 0x1e1a71ef,
                                     0x72e14c98, 0x416f21b9, 0x6753449f, 0x19566d45,
                                     0xa3424a31, 0x01b086da, 0xb8fd7b38, 0x42fe0c0e};
  const Block block = chacha8({0, 0}, 0, 0);
  for (int w = 0; w < 16; ++w) CHECK(block[w] == published[w]);
}

TEST_CASE("every instruction set draws the bits of the definition") {
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (!instruction_set(i).supported()) continue;
    CAPTURE(std::string(instruction_set(i).name));
    const Primitives& with = primitives(i);
    for (const RandomKey key : kKeys) {
      for (const std::uint64_t superblock : kSuperblocks) {
        CAPTURE(superblock);
        for (const std::uint32_t domain : {0u, 1u}) {
          std::vector<std::uint16_t> draws(with.superblocks * kDraws), expected;
          with.draw(key, domain, superblock, draws.data());
          for (std::size_t j = 0; j < draws.size(); ++j)
            expected.push_back(draw(key, domain, superblock * kDraws + j));
          CHECK(draws == expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bridle::test
