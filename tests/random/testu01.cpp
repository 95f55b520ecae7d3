// Feeds the uniforms u(i) to the batteries of TestU01 (L'Ecuyer and Simard 2007); see README.md.
#include <bridle/loops/chacha.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include <testu01/bbattery.h>
#include <testu01/swrite.h>
#include <testu01/unif01.h>
}

namespace {

enum class Order { plain, reversed, streams, seeds };

constexpr std::size_t kDrawn = bridle::kInterleaved * bridle::kDraws;
constexpr std::uint64_t kNeighbours = 16;  // keys that take turns

// The uniforms of one key in the order of their index.
struct Sequence {
  bridle::RandomKey key;
  std::uint64_t superblock = 0;
  std::size_t at = kDrawn;
  alignas(64) std::uint16_t high[kDrawn], low[kDrawn];

  unsigned int next() {
    if (at == kDrawn) {
      bridle::draw_superblocks(key, 0, superblock, high);
      bridle::draw_superblocks(key, 1, superblock, low);
      superblock += bridle::kInterleaved;
      at = 0;
    }
    const unsigned int u = static_cast<unsigned int>(high[at]) << 16 | low[at];
    ++at;
    return u;
  }
};

Sequence sequences[kNeighbours];
std::uint64_t turn = 0;

unsigned int next() { return sequences[0].next(); }

// Batteries look at the upper bits more than at the lower ones.
unsigned int next_reversed() {
  const unsigned int u = next();
  unsigned int reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (u >> bit & 1u) << (31 - bit);
  return reversed;
}

unsigned int next_of_neighbours() { return sequences[turn++ % kNeighbours].next(); }

[[noreturn]] void explain() {
  std::fputs(
      "usage: testu01 small|crush|big [plain|reversed|streams|seeds] [seed]\n"
      "  plain     u(0), u(1), …\n"
      "  reversed  the same, bits in reverse order\n"
      "  streams   sixteen neighbouring streams in turn\n"
      "  seeds     sixteen neighbouring seeds in turn\n",
      stderr);
  std::exit(2);
}

Order order_named(const char* name) {
  constexpr const char* names[] = {"plain", "reversed", "streams", "seeds"};
  for (int i = 0; i < 4; ++i) {
    if (std::strcmp(name, names[i]) == 0) return static_cast<Order>(i);
  }
  explain();
}

void (*battery_named(const char* name))(unif01_Gen*) {
  if (std::strcmp(name, "small") == 0) return bbattery_SmallCrush;
  if (std::strcmp(name, "crush") == 0) return bbattery_Crush;
  if (std::strcmp(name, "big") == 0) return bbattery_BigCrush;
  explain();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) explain();
  auto* const battery = battery_named(argv[1]);
  const char* const order_name = argc > 2 ? argv[2] : "plain";
  const Order order = order_named(order_name);
  const std::uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 0) : 1;
  for (std::uint64_t k = 0; k < kNeighbours; ++k) {
    sequences[k].key = {seed + (order == Order::seeds ? k : 0), order == Order::streams ? k : 0};
  }
  std::string name = "bridle, seed " + std::to_string(seed) + ", " + order_name;
  unsigned int (*const source)() = order == Order::plain      ? next
                                   : order == Order::reversed ? next_reversed
                                                              : next_of_neighbours;
  swrite_Basic = FALSE;  // the summary alone
  unif01_Gen* const generator = unif01_CreateExternGenBits(name.data(), source);
  battery(generator);
  unif01_DeleteExternGenBits(generator);
  return 0;
}
