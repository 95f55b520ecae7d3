#include "library.hpp"

#include <bridle/c_api.h>
#include <pybind11/pybind11.h>

#include <string>

#include "c/layout.hpp"
#include "system/module_file.hpp"

#if defined(__ELF__)  // elsewhere symbols are not looked for in every library that is there
[[gnu::weak]] const char* bridle_layout() noexcept;  // older libraries have none
#endif

namespace bridle::python {
namespace {

template <class Function>
system::ModuleFile file_of(Function* function) {
  return system::module_file(reinterpret_cast<const void*>(function));
}

}  // namespace

void check_library() {
  // Every library has bridle_get_c_api. Of an older one that comes first it would be the only one
  // of the two that is found there.
  const system::ModuleFile found = file_of(&bridle_get_c_api);
  const auto layout_of = &bridle_layout;
  const bool known = layout_of && file_of(layout_of).base == found.base;
  const std::string layout = known ? bridle_layout() : "an older version";
  if (layout == BRIDLE_LAYOUT) return;
  throw pybind11::import_error(std::string("bridle: ") + file_of(&check_library).path +
                               " (" BRIDLE_LAYOUT ") found the library of another build, loaded " +
                               "earlier than its own: " + found.path + " (" + layout + ")");
}

}  // namespace bridle::python
