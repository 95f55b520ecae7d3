// How many processors there are for this process, and which of them.
#pragma once

namespace bridle {

// Those that the calling thread may run on, no more than the processors' worth of time that the
// control groups of the process grant: a container of half the machine should use half of it.
int available_processors() noexcept;

// The number that the quota of the control groups grants, rounded up; 0 without a quota. `groups`
// is /proc/self/cgroup, `mounted` where the hierarchies are found (/sys/fs/cgroup).
int processors_by_quota(const char* groups, const char* mounted) noexcept;

}  // namespace bridle
