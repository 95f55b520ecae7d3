#include "dispatch.hpp"

#include <atomic>
#include <cstring>

#if defined(__x86_64__)
#include "x86_levels.hpp"
#endif

namespace bridle {

namespace baseline {
extern const KernelTable kernel_table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const KernelTable kernel_table;
}
namespace avx512 {
extern const KernelTable kernel_table;
}
#endif

namespace {

const InstructionSet instruction_sets[] = {
    {"baseline", &baseline::kernel_table, [] { return true; }},
#if defined(__x86_64__)
    {"avx2", &avx2::kernel_table, supports_x86_64_v3},
    {"avx512", &avx512::kernel_table, supports_x86_64_v4},
#endif
};

const InstructionSet* best() {
  const InstructionSet* found = nullptr;
  for (const InstructionSet& candidate : instruction_sets) {
    if (candidate.supported()) found = &candidate;
  }
  return found;
}

std::atomic<const InstructionSet*> active{best()};

}  // namespace

int instruction_set_count() noexcept {
  return sizeof instruction_sets / sizeof instruction_sets[0];
}

const InstructionSet& instruction_set(int i) noexcept { return instruction_sets[i]; }

const InstructionSet& active_instruction_set() noexcept {
  return *active.load(std::memory_order_relaxed);
}

bool select_instruction_set(const char* name) noexcept {
  for (const InstructionSet& candidate : instruction_sets) {
    if (std::strcmp(candidate.name, name) == 0 && candidate.supported()) {
      active = &candidate;
      return true;
    }
  }
  return false;
}

}  // namespace bridle
