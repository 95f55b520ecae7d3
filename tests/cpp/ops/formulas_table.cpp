#include "formulas.hpp"

namespace bridle {

namespace baseline {
extern const test::Formulas test_formulas;
}
#if defined(__x86_64__)
namespace avx2 {
extern const test::Formulas test_formulas;
}
namespace avx512 {
extern const test::Formulas test_formulas;
}
#endif
namespace unoptimized {
extern const test::Formulas test_formulas;
}

namespace test {

const Formulas& formulas(int i) {
  static constexpr const Formulas* table[] = {
      &baseline::test_formulas,
#if defined(__x86_64__)
      &avx2::test_formulas,
      &avx512::test_formulas,
#endif
  };
  return *table[i];
}

const Formulas& unoptimized_formulas() { return unoptimized::test_formulas; }

}  // namespace test
}  // namespace bridle
