#include "library.hpp"

#include <bridle/c_api.h>
#include <dlfcn.h>

#include <cstring>

#include "layout.hpp"
#include "numpy.hpp"

[[gnu::weak]] const char* bridle_layout() noexcept;  // older libraries have none

namespace bridle::python {
namespace {

// The file that holds a function, and where it was loaded.
template <class Function>
Dl_info file_of(Function* function) {
  Dl_info info{};
  return dladdr(reinterpret_cast<void*>(function), &info) ? info : Dl_info{};
}

}  // namespace

bool check_library() {
  // Every library has bridle_get_c_api. Of an older one that comes first it would be the only one
  // of the two that is found there.
  const Dl_info found = file_of(&bridle_get_c_api);
  const bool known = bridle_layout && file_of(&bridle_layout).dli_fbase == found.dli_fbase;
  const char* const layout = known ? bridle_layout() : "an older version";
  if (std::strcmp(layout, BRIDLE_LAYOUT) == 0) return true;
  PyErr_Format(
      PyExc_ImportError,
      "bridle: %s (%s) found another build's library, which was loaded before its own: %s (%s)",
      file_of(&check_library).dli_fname, BRIDLE_LAYOUT, found.dli_fname, layout);
  return false;
}

}  // namespace bridle::python
