// What the control groups of a process grant it, in trees of files like those of the kernel.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "threads/processors.hpp"

namespace bridle::test {
namespace {

namespace fs = std::filesystem;

class Tree {
 public:
  Tree() : root_(fs::temp_directory_path() / ("bridle-groups-" + std::to_string(getpid()))) {
    fs::create_directories(root_);
  }
  ~Tree() { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }

  int processors(const std::string& groups) const {
    write("cgroup", groups);
    return processors_by_quota((root_ / "cgroup").c_str(), root_.c_str());
  }

 private:
  fs::path root_;
};

TEST_CASE("version 2: the least quota of a group and those above it, rounded up") {
  const Tree tree;
  CHECK(tree.processors("0::/") == 0);  // none at the root
  tree.write("a/cpu.max", "400000 100000");
  tree.write("a/b/cpu.max", "max 100000");
  CHECK(tree.processors("0::/a") == 4);
  CHECK(tree.processors("0::/a/b") == 4);
  CHECK(tree.processors("0::/a/b/unseen") == 4);
  tree.write("a/b/cpu.max", "150000 100000");
  CHECK(tree.processors("0::/a/b") == 2);
  CHECK(tree.processors("0::/a") == 4);
  tree.write("a/b/cpu.max", "1000 100000");
  CHECK(tree.processors("0::/a/b") == 1);
  tree.write("cpu.max", "300000 100000");  // in a container, what is mounted is its own group
  CHECK(tree.processors("0::/") == 3);
}

TEST_CASE("version 1: the hierarchy of the controller cpu, under either name") {
  const Tree tree;
  tree.write("cpu,cpuacct/d/cpu.cfs_quota_us", "250000");
  tree.write("cpu,cpuacct/d/cpu.cfs_period_us", "100000");
  CHECK(tree.processors("4:cpu,cpuacct:/d\n3:memory:/d") == 3);
  CHECK(tree.processors("4:cpuacct:/d\n3:cpuset:/d") == 0);
  tree.write("cpu/d/cpu.cfs_quota_us", "-1");
  tree.write("cpu/d/cpu.cfs_period_us", "100000");
  CHECK(tree.processors("1:cpu:/d") == 0);
  tree.write("cpu/cpu.cfs_quota_us", "200000");
  tree.write("cpu/cpu.cfs_period_us", "100000");
  CHECK(tree.processors("1:cpu:/d\n0::/") == 2);
}

TEST_CASE("what cannot be read grants everything") {
  const Tree tree;
  CHECK(processors_by_quota("/nowhere/cgroup", "/nowhere") == 0);
  CHECK(tree.processors("nonsense") == 0);
  CHECK(tree.processors("1:cpu:/" + std::string(5000, 'x')) == 0);
  tree.write("cpu.max", "nonsense");
  CHECK(tree.processors("0::/") == 0);
  CHECK(available_processors() >= 1);
}

}  // namespace
}  // namespace bridle::test
