#include "processors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "system/system.hpp"

namespace bridle {
namespace {

#if defined(__linux__)

constexpr std::size_t kPath = 1024;

// The numbers in a file, at most two of them; "max", as control groups write it, is infinite.
int read_numbers(const char* path, double (&numbers)[2]) noexcept {
  std::FILE* const file = std::fopen(path, "re");
  if (!file) return 0;
  char text[64] = {};
  const char* const line = std::fgets(text, sizeof text, file);
  std::fclose(file);
  if (!line) return 0;
  char word[2][24] = {};
  const int found = std::sscanf(text, "%23s %23s", word[0], word[1]);
  for (int i = 0; i < found; ++i) {
    numbers[i] = word[i][0] == 'm' ? HUGE_VAL : std::strtod(word[i], nullptr);
  }
  return std::max(found, 0);
}

// The share of a processor's time that one directory of a hierarchy grants, HUGE_VAL without a
// limit.
double quota_in(const char* directory, bool second_version) noexcept {
  char path[kPath + 32];
  double numbers[2] = {}, period[2] = {};
  if (second_version) {
    std::snprintf(path, sizeof path, "%s/cpu.max", directory);
    if (read_numbers(path, numbers) < 2) return HUGE_VAL;
    period[0] = numbers[1];
  } else {
    std::snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
    if (read_numbers(path, numbers) < 1) return HUGE_VAL;
    std::snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
    if (read_numbers(path, period) < 1) return HUGE_VAL;
  }
  return numbers[0] > 0 && period[0] > 0 ? numbers[0] / period[0] : HUGE_VAL;  // -1: no limit
}

// The least of a group and all those that it belongs to. Where the group's own directory cannot be
// seen, as in some containers, what is mounted is its root.
double quota_of_group(const char* mounted, const char* hierarchy, const char* group,
                      bool second_version) noexcept {
  char directory[kPath];
  const int root = std::snprintf(directory, sizeof directory, "%s%s", mounted, hierarchy);
  const int all = std::snprintf(directory, sizeof directory, "%s%s%s", mounted, hierarchy, group);
  if (root < 0 || all >= static_cast<int>(sizeof directory)) return HUGE_VAL;
  double least = HUGE_VAL;
  for (char* end = directory + all;; *end = '\0') {
    least = std::min(least, quota_in(directory, second_version));
    if (end <= directory + root) return least;
    do --end;
    while (end > directory + root && *end != '/');
  }
}

bool lists_cpu(const char* controllers) noexcept {
  for (const char* name = controllers; name; name = std::strchr(name, ',')) {
    name += *name == ',';
    const std::size_t length = std::strcspn(name, ",");
    if (length == 3 && std::strncmp(name, "cpu", 3) == 0) return true;
  }
  return false;
}

// One line of /proc/self/cgroup: "number:controllers:group", without controllers in version 2.
double quota_of_line(char* line, const char* mounted) noexcept {
  line[std::strcspn(line, "\n")] = '\0';
  char* const controllers = std::strchr(line, ':');
  char* const group = controllers ? std::strchr(controllers + 1, ':') : nullptr;
  if (!group) return HUGE_VAL;
  *group = '\0';
  if (controllers[1] == '\0') return quota_of_group(mounted, "", group + 1, true);
  if (!lists_cpu(controllers + 1)) return HUGE_VAL;
  char hierarchy[64];
  std::snprintf(hierarchy, sizeof hierarchy, "/%.60s", controllers + 1);
  const double quota = quota_of_group(mounted, hierarchy, group + 1, false);
  return std::min(quota, quota_of_group(mounted, "/cpu", group + 1, false));
}

#endif

}  // namespace

#if defined(__linux__)

int processors_by_quota(const char* groups, const char* mounted) noexcept {
  std::FILE* const file = std::fopen(groups, "re");
  if (!file) return 0;
  double least = HUGE_VAL;
  char line[kPath];
  while (std::fgets(line, sizeof line, file)) least = std::min(least, quota_of_line(line, mounted));
  std::fclose(file);
  return least < 65536 ? std::max(1, static_cast<int>(std::ceil(least))) : 0;
}

#else

int processors_by_quota(const char*, const char*) noexcept { return 0; }

#endif

int available_processors() noexcept {
  static const int quota = processors_by_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  const int allowed = system::processors_allowed();
  const int processors =
      allowed > 0 ? allowed : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, quota > 0 ? std::min(quota, processors) : processors);
}

}  // namespace bridle
