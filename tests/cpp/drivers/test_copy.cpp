// Copies: every byte, nothing beside them, through the caches or past them, by any number of
// threads.
#include <doctest/doctest.h>

#include <bridle/prefetch.hpp>

#include "data.hpp"
#include "drivers/streaming.hpp"
#include "threads/parallel.hpp"

namespace {
bool streaming = false;
}

// What the core is linked with here in place of its own.
bool bridle::worth_streaming(std::size_t) noexcept { return streaming; }
std::size_t bridle::prefetch_distance() noexcept { return streaming ? 6 * 1024 : 0; }

namespace bridle::test {
namespace {

TEST_CASE("copies of every size and place") {
  for (int threads = 1; threads <= 3; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    for (const bool past_the_caches : {false, true}) {
      CAPTURE(past_the_caches);
      streaming = past_the_caches;
      for (const std::size_t size : {0, 1, 63, 64, 4096, 4097, 3 * 128 * 1024 + 5}) {
        CAPTURE(size);
        for (const std::size_t phase : {0, 1, 32, 63}) {
          CAPTURE(phase);
          Array from(1, hostile_elements(DType::float16, size, size), 1, 63 - phase),
              to(1, 2 * size, 1, phase);
          copy(from.operand().data, to.operand().data, 2 * size);
          CHECK(to.elements() == from.elements());
          CHECK(to.gaps_untouched());
        }
      }
    }
  }
  set_num_threads(0);
}

}  // namespace
}  // namespace bridle::test
