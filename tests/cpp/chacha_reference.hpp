// The random bits written down once more, one block at a time, from their definition (DESIGN
// section 3, RFC 8439).
#pragma once

#include <array>
#include <bridle/types.hpp>
#include <cstdint>

namespace bridle::test {

using Block = std::array<std::uint32_t, 16>;

// Block `counter` of the ChaCha key stream with 8 rounds.
Block chacha8(RandomKey key, std::uint32_t domain, std::uint64_t counter);

// The 16 bits of the element `index` in a domain.
std::uint16_t draw(RandomKey key, std::uint32_t domain, std::uint64_t index);

// u(index), uniform on 32 bits.
std::uint32_t uniform(RandomKey key, std::uint64_t index);

}  // namespace bridle::test
