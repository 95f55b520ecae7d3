#include "primitives.hpp"

namespace bridle {

namespace baseline {
extern const test::Primitives test_primitives;
}
#if defined(__x86_64__)
namespace avx2 {
extern const test::Primitives test_primitives;
}
namespace avx512 {
extern const test::Primitives test_primitives;
}
#endif

namespace test {

const Primitives& primitives(int i) {
  static constexpr const Primitives* table[] = {
      &baseline::test_primitives,
#if defined(__x86_64__)
      &avx2::test_primitives,
      &avx512::test_primitives,
#endif
  };
  return *table[i];
}

}  // namespace test
}  // namespace bridle
