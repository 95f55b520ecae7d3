// What every benchmark here shares: its setting and name, its arrays, and the limit it is compared
// with.
#pragma once

#include <bridle/types.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bridle::bench {

enum class Place {
  in_place,  // limit: scaling an array in place
  given,     // into another array that has been written before; limit: copying
  read,      // a sum; limit: reading
  updated,   // with state, from a gradient; limit: scaling in place what is written, and reading
};

struct Setting {
  DType dtype;
  std::size_t size;
  Place place;
  int threads;
  int states = 0;  // of an update, whose elements have the compute type
  bool gradient = false;

  std::size_t bytes() const;         // of one array
  std::size_t before_state() const;  // bytes from the weights of an update to its state
  std::size_t written() const;       // bytes that an update writes: weights and state
  std::size_t traffic() const;       // bytes that one call reads and writes
  char* out(struct Arrays& arrays) const;
};

// Two arrays on huge pages, long enough for the largest setting.
struct Arrays {
  char* x;
  char* other;
};

inline char* Setting::out(Arrays& arrays) const {
  return place == Place::given ? arrays.other : arrays.x;
}

Arrays arrays_of(std::size_t bytes);

// 1000 elements in L1, 30 000 in L2, 1e6 in L3, 1e8 in memory; fewer if two float64 arrays would
// exceed BRIDLE_BENCH_MAX_BYTES, or as many as are given.
std::vector<std::size_t> sizes(std::size_t arrays = 2);

// Such as soft_threshold/f32/1e6/in_place/t2.
std::string name_of(const char* work, const Setting& setting);

// What a benchmark is compared with: the fastest way to move the same bytes, be it on fewer threads
// or, for copies, with or without bypassing the caches. It is measured before and after the
// benchmark's own loop, because the speed of a shared machine drifts; the medians count.
class Limit {
 public:
  Limit(const Setting& setting, Arrays arrays);
  void measure();
  double seconds() const;

 private:
  struct Candidate {
    std::function<void()> call;
    std::vector<double> samples;  // seconds a call
  };
  void add(std::function<void()> call);

  std::vector<Candidate> candidates_;
};

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace bridle::bench
