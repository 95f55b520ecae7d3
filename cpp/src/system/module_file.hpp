// The files that the process has mapped: libraries, extension modules, the program.
#pragma once

#include <string>

namespace bridle::system {

struct ModuleFile {
  const void* base;  // where it was mapped; null if it is not known
  std::string path;  // in UTF-8
};

// The one that holds this address.
ModuleFile module_file(const void* address);

}  // namespace bridle::system
