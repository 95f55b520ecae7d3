#include "refusal.hpp"

#include <memory>
#include <string>

namespace bridle::c {
namespace {

// No text of its own: what is local to threads is taken from their stacks.
thread_local std::unique_ptr<std::string> message;

}  // namespace

const char* last_error() noexcept { return message ? message->c_str() : ""; }

void set_last_error(const char* text) noexcept {
  try {
    message = std::make_unique<std::string>(text);
  } catch (const std::bad_alloc&) {
    message.reset();
  }
}

}  // namespace bridle::c
