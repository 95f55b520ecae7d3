// What C functions say when they refuse something.
#pragma once

#include <bridle/errors.hpp>
#include <new>
#include <stdexcept>

#include "threads/status_flags.hpp"

namespace bridle::c {

// What was wrong in the last call of this thread that went through `guarded`.
const char* last_error() noexcept;
void set_last_error(const char* text) noexcept;

using detail::fail;

// Runs what throws std::invalid_argument with nothing written, and returns what a C function does.
template <class Run>
int guarded(const Run& run) noexcept {
  const KeepStatusFlags keep;
  try {
    run();
    return 0;
  } catch (const std::invalid_argument& error) {
    set_last_error(error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    return 2;
  }
}

}  // namespace bridle::c
