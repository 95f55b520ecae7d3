#include "chacha_reference.hpp"

namespace bridle::test {
namespace {

std::uint32_t rotate(std::uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

void quarter_round(Block& s, int a, int b, int c, int d) {
  s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
  s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
  s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
  s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

Block chacha8(RandomKey key, std::uint32_t domain, std::uint64_t counter) {
  const Block start = {0x61707865,
                       0x3320646e,
                       0x79622d32,
                       0x6b206574,
                       low(key.seed),
                       high(key.seed),
                       domain,
                       0,
                       0,
                       0,
                       0,
                       0,
                       low(counter),
                       high(counter),
                       low(key.stream),
                       high(key.stream)};
  Block s = start;
  for (int round = 0; round < 8; round += 2) {
    for (int i = 0; i < 4; ++i) quarter_round(s, i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i)
      quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (int w = 0; w < 16; ++w) s[w] += start[w];
  return s;
}

std::uint16_t draw(RandomKey key, std::uint32_t domain, std::uint64_t index) {
  const std::uint64_t superblock = index / 512;
  const auto j = static_cast<int>(index % 512), q = j / 2;
  const std::uint32_t word = chacha8(key, domain, 16 * superblock + q % 16)[q / 16];
  return static_cast<std::uint16_t>(j % 2 == 0 ? word & 0xffff : word >> 16);
}

std::uint32_t uniform(RandomKey key, std::uint64_t index) {
  return 65536u * draw(key, 0, index) + draw(key, 1, index);
}

}  // namespace bridle::test
