// Which instruction sets this build and this machine have, and which one is in use.
#pragma once

#include <bridle/export.h>

#include "kernels.hpp"

namespace bridle {

struct InstructionSet {
  const char* name;
  const KernelTable* kernels;
  bool (*supported)();
};

// Those that were compiled in, best last.
BRIDLE_API int instruction_set_count() noexcept;
BRIDLE_API const InstructionSet& instruction_set(int i) noexcept;

BRIDLE_API const InstructionSet& active_instruction_set() noexcept;
// False, and nothing changed, if there is no such instruction set here.
BRIDLE_API bool select_instruction_set(const char* name) noexcept;

inline const KernelTable& kernels() noexcept { return *active_instruction_set().kernels; }

}  // namespace bridle
