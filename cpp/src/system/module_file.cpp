#include "module_file.hpp"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace bridle::system {

#if defined(_WIN32)

ModuleFile module_file(const void* address) {
  HMODULE module = nullptr;
  if (!GetModuleHandleExW(
          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
          static_cast<LPCWSTR>(address), &module)) {
    return {nullptr, "an unknown file"};
  }
  wchar_t path[1024];
  const DWORD length = GetModuleFileNameW(module, path, sizeof path / sizeof *path);
  char text[4 * sizeof path / sizeof *path];
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, path, static_cast<int>(length), text,
                                        sizeof text, nullptr, nullptr);
  return {module, std::string(text, static_cast<std::size_t>(bytes))};
}

#else

ModuleFile module_file(const void* address) {
  Dl_info info;
  if (!dladdr(address, &info)) return {nullptr, "an unknown file"};
  return {info.dli_fbase, info.dli_fname};
}

#endif

}  // namespace bridle::system
