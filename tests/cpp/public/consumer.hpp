// One program with several translation units of consumer.cpp, each compiled with flags of its own.
#pragma once

#include <vector>

namespace bridle::test {

template <class T>
struct Results {
  std::vector<std::vector<T>> arrays;
  std::vector<double> penalties;
};

struct Consumer {
  const char* instruction_set;
  bool wide;  // compiled for more than the baseline
  Results<float> (*floats)();
  Results<double> (*doubles)();
};

namespace plain {
extern const Consumer consumer;
}
namespace unoptimized {
extern const Consumer consumer;
}
namespace native {
extern const Consumer consumer;
}

}  // namespace bridle::test
