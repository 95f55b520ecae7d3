// Streaming stores: every byte arrives, none beside it is touched, from any start and in any
// pieces.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "data.hpp"
#include "drivers/streaming.hpp"

namespace bridle::test {
namespace {

constexpr std::size_t kLine = 64;

Bytes random_bytes(std::size_t size) {
  Random random(size);
  Bytes bytes(size);
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

// Writes `bytes` in pieces whose sizes go round in `pieces`.
void write(LineWriter& writer, const Bytes& bytes, const std::vector<std::size_t>& pieces) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t size = std::min(pieces[next++ % pieces.size()], bytes.size() - i);
    std::memcpy(writer.next(), bytes.data() + i, size);
    writer.commit(size);
    i += size;
  }
  writer.flush();
}

void check(std::size_t phase, std::size_t size, const std::vector<std::size_t>& pieces) {
  const Bytes bytes = random_bytes(size);
  Array to(1, size, 1, phase);
  StreamWriter writer(to.operand().data);
  write(writer, bytes, pieces);
  CHECK(to.elements() == bytes);
  CHECK(to.gaps_untouched());
}

TEST_CASE("every start within a line, every size around it") {
  for (std::size_t phase = 0; phase < kLine; ++phase) {
    CAPTURE(phase);
    for (std::size_t size = 0; size <= 3 * kLine; ++size) {
      CAPTURE(size);
      check(phase, size, {StreamWriter::kPiece});
    }
  }
}

TEST_CASE("every size of a piece") {
  for (const std::size_t phase : {0, 1, 4, 32, 63}) {
    CAPTURE(phase);
    for (std::size_t piece = 1; piece <= 130; ++piece) {
      CAPTURE(piece);
      check(phase, 1000, {piece});
    }
    for (const std::size_t piece :
         {std::size_t{1000}, StreamWriter::kPiece - 1, StreamWriter::kPiece}) {
      CAPTURE(piece);
      check(phase, 20000, {piece});
    }
  }
}

TEST_CASE("pieces of changing size, empty ones among them") {
  for (const std::size_t phase : {0, 2, 8, 62}) {
    CAPTURE(phase);
    check(phase, 30000, {StreamWriter::kPiece, 1, 63, 64, 65, 0, 777, 128});
  }
}

}  // namespace
}  // namespace bridle::test
