#include "guarded_memory.hpp"

#include <cstdlib>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace bridle::test {
namespace {

#if defined(_WIN32)

std::size_t page_size() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}
void* untouchable(std::size_t size) {
  return VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
}
bool allow(void* memory, std::size_t size) {
  DWORD before;
  return VirtualProtect(memory, size, PAGE_READWRITE, &before) != 0;
}
void give_back(void* memory, std::size_t) { VirtualFree(memory, 0, MEM_RELEASE); }

#else

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }
void* untouchable(std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}
bool allow(void* memory, std::size_t size) {
  return mprotect(memory, size, PROT_READ | PROT_WRITE) == 0;
}
void give_back(void* memory, std::size_t size) { munmap(memory, size); }

#endif

}  // namespace

GuardedMemory::GuardedMemory(std::size_t pages) : page_(page_size()), size_(pages * page_) {
  char* const memory = static_cast<char*>(untouchable(size_ + 2 * page_));
  if (!memory || !allow(memory + page_, size_)) std::abort();
  begin_ = memory + page_;
}

GuardedMemory::~GuardedMemory() { give_back(begin_ - page_, size_ + 2 * page_); }

}  // namespace bridle::test
