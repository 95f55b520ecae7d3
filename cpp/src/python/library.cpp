#include "library.hpp"

#include <bridle/c_api.h>
#include <dlfcn.h>
#include <pybind11/pybind11.h>

#include <string>

#include "c/layout.hpp"

[[gnu::weak]] const char* bridle_layout() noexcept;  // older libraries have none

namespace bridle::python {
namespace {

// The file that holds a function, and where it was loaded.
template <class Function>
Dl_info file_of(Function* function) {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void*>(function), &info)) info.dli_fname = "an unknown file";
  return info;
}

}  // namespace

void check_library() {
  // Every library has bridle_get_c_api. Of an older one that comes first it would be the only one
  // of the two that is found there.
  const Dl_info found = file_of(&bridle_get_c_api);
  const bool known = bridle_layout && file_of(&bridle_layout).dli_fbase == found.dli_fbase;
  const std::string layout = known ? bridle_layout() : "an older version";
  if (layout == BRIDLE_LAYOUT) return;
  throw pybind11::import_error(std::string("bridle: ") + file_of(&check_library).dli_fname +
                               " (" BRIDLE_LAYOUT ") found the library of another build, loaded " +
                               "earlier than its own: " + found.dli_fname + " (" + layout + ")");
}

}  // namespace bridle::python
