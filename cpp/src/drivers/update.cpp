#include <bridle/prefetch.hpp>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "chunk_sums.hpp"
#include "core.hpp"
#include "dispatch.hpp"
#include "noise_reader.hpp"
#include "streaming.hpp"
#include "strided.hpp"
#include "threads/parallel.hpp"
#include "type_rules.hpp"

namespace bridle {
namespace {

constexpr int kL1 = 0, kElasticNet = 2;  // in ReduceOps
constexpr double kUnused[2] = {};        // strengths, which multiply sums afterwards
constexpr UpdateRows kOneRow;
constexpr std::size_t kWidth = sizeof(UpdateSums) / sizeof(double);
constexpr std::size_t kRegularizer = offsetof(UpdateSums, regularizer) / sizeof(double);
constexpr std::size_t kLeast = 8 * 1024;   // elements from which on a second thread pays
constexpr std::size_t kStageBytes = 1024;  // of one array, that are brought into the nearest cache
constexpr std::size_t kRoundBytes = kUpdateBlock * sizeof(float);
constexpr std::size_t kAsked = 1024;  // bytes of a row; what follows, processors foresee
constexpr int kStates = UpdateRole::toward - UpdateRole::first_state;
constexpr int kRead = UpdateRole::copy_out;  // the roles before are read

double number_of(const UpdateParameter& parameter) {
  double number;
  kernels().cast[static_cast<int>(parameter.dtype)].to[static_cast<int>(DType::float64)](
      parameter.data, &number, 1);
  return number;
}

template <class... Op>
bool has_beside(int op, ReduceList<Op...>) {
  constexpr bool answers[] = {kHasBeside<Op>...};
  return answers[op];
}

// continued: bit r, whether the array of role r goes on behind the elements at hand.
UpdateMemory memory_of(void* const (&data)[UpdateRole::count], unsigned continued = 0) {
  UpdateMemory memory{
      data[UpdateRole::weights], data[UpdateRole::gradient], {}, data[UpdateRole::toward]};
  std::copy_n(data + UpdateRole::first_state, kStates, memory.state);
  for (int role = 0; role < kRead; ++role) {
    if (continued >> role & 1u) memory.continued[memory.continued_count++] = data[role];
  }
  return memory;
}

// As memcpy, whose call takes longer for what is short.
inline void copy_row(const void* from, void* to, std::size_t bytes) {
  constexpr std::size_t kPart = 16, kShort = 256;
  if (bytes % kPart != 0 || bytes > kShort) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes; i += kPart) {
    std::memcpy(static_cast<char*>(to) + i, static_cast<const char*>(from) + i, kPart);
    asm volatile("");  // or gcc makes that call of the loop
  }
}

void ask_for_lines(const char* from, std::size_t bytes) {
  const char* const end = from + bytes - 1;
  for (const char* at = from; at < end; at += kLine) __builtin_prefetch(at);
  __builtin_prefetch(end);
  asm volatile("");  // or gcc finds that nothing is done here, and leaves it out
}

// One array, as its threads see it.
class Update {
 public:
  // `streams`: copies bypass the caches. They are not read before they are written then.
  Update(const UpdateCall& call, const UpdateArray& array, bool streams = false)
      : call_(call),
        array_(array),
        rows_(array.rows ? *array.rows : kOneRow),
        streams_(streams && rows_.length == 0),
        compute_(call.types[UpdateRole::weights] == DType::float64 ? DType::float64
                                                                   : DType::float32) {
    const UpdateNumbers& numbers = *array.numbers;
    std::copy_n(array.data, UpdateRole::count, data_);
    if (numbers.keep == 1 && numbers.coupled == 0) data_[UpdateRole::toward] = nullptr;
    const auto is_infinite = [&](double strength) {  // once it has the type computed in
      return std::isinf(is_double() ? strength : static_cast<float>(strength));
    };
    const bool full = data_[UpdateRole::toward] != nullptr || numbers.cautious ||
                      numbers.coupled != 0 || is_infinite(numbers.l1) || is_infinite(numbers.l2);
    const UpdateKind kind = full              ? UpdateKind::full
                            : numbers.l2 != 0 ? UpdateKind::elastic
                            : numbers.l1 != 0 ? UpdateKind::sparse
                                              : UpdateKind::plain;
    kernel_ = kernels().update.of[call.op][is_double()][call.adaptive][static_cast<int>(kind)];
    if (array.regularizer) prepare_regularizer();
    if (rows_.chosen && array.size > 0) {
      row_count_ = array.size / rows_.length;
      rows_ahead_ = 1 + kStageBytes / (item_size(compute_) * rows_.length);
    }
    const bool long_rows = rows_.length == 0 || rows_.length >= kShortRow;
    bool lie_as_computed = data_[UpdateRole::copy_out] == nullptr;
    for (int role = 0; role < kRead; ++role) {
      lie_as_computed &= lies_as_computed(role);
      const bool goes_on = data_[role] && lies_as_computed(role) && !is_chosen(role);
      continued_ |= unsigned{goes_on} << role;
    }
    if (is_summarized_later() || !long_rows || (is_double() && !lie_as_computed)) {
      way_ = Way::in_stages;
    } else {
      way_ = lie_as_computed ? Way::in_place : Way::in_rounds;
    }
  }

  // What tells it from others; see parallel_for.
  const void* work() const {
    return work_of(kernel_, static_cast<int>(call_.types[UpdateRole::weights]) +
                                kDTypes * static_cast<int>(way_));
  }

  // Elements of one chunk; the sums are those of UpdateSums.
  void operator()(std::size_t begin, std::size_t size, double* sums) const {
    ChunkState chunk;
    chunk.position = 0;
    chunk.counts[0] = chunk.counts[1] = 0.0;
    if (is_summarized_later()) std::fill_n(chunk.lanes, kMaxSums * kLanes, 0.0);
    std::fill_n(sums, kWidth, 0.0);
    if (way_ == Way::in_stages) {
      work_in_stages(begin, size, chunk, sums);
    } else if (way_ == Way::in_rounds) {
      work_in_rounds(begin, size, chunk);
    } else {
      for_each_long_row(begin, size, [&](Place place, std::size_t count) {
        void* at[UpdateRole::count];
        for (int role = 0; role < UpdateRole::count; ++role) at[role] = memory(role, place);
        kernel_(memory_of(at, continued_), *array_.numbers, count, &chunk);
      });
    }
    const UpdateNumbers& numbers = *array_.numbers;
    const std::size_t penalties = numbers.l2 != 0 ? 2 : numbers.l1 != 0 ? 1 : 0;
    kernels().reduce.fold_lanes(chunk.lanes, penalties, sums);
    std::copy_n(chunk.counts, 2, sums + kMaxSums);
  }

 private:
  static constexpr std::size_t kShortRow = 64;  // does not pay for a call of the kernel

  struct Place {
    std::size_t row, column;
  };
  using Draws = HeldNumbers<std::uint16_t>;
  using Cast = void (*)(const void* x, void* out, std::size_t size);

  enum class Way {
    in_place,   // nothing has to be brought anywhere
    in_rounds,  // all but the weights, by the kernel itself, which are of floats
    in_stages,  // the weights, too, or doubles, rows that are short, what a regularizer needs
  };

  bool lies_as_computed(int role) const {
    return data_[role] == nullptr || call_.types[role] == compute_;
  }

  bool is_double() const { return compute_ == DType::float64; }
  std::size_t item(int role) const { return item_size(call_.types[role]); }

  // Whether its rows are those of a table, some of which are updated.
  bool is_chosen(int role) const { return rows_.chosen && role != UpdateRole::gradient; }

  // Null if there is no such array.
  char* memory(int role, Place place) const {
    if (!data_[role]) return nullptr;
    const auto row = static_cast<std::ptrdiff_t>(place.row);
    return static_cast<char*>(data_[role]) +
           (is_chosen(role) ? rows_.chosen[row] : row) * rows_.apart[role] +
           place.column * item(role);
  }

  bool rows_abut(int role) const {
    return !is_chosen(role) &&
           rows_.apart[role] == static_cast<std::ptrdiff_t>(rows_.length * item(role));
  }

  // The number of its first element in the whole list.
  std::uint64_t position(Place place) const {
    const auto row = rows_.chosen ? static_cast<std::uint64_t>(rows_.chosen[place.row]) : place.row;
    return array_.first + row * rows_.length + place.column;
  }

  // Calls row(place, count) for what lies beside each other in every array.
  template <class Row>
  void for_each_row(std::size_t begin, std::size_t size, const Row& row) const {
    const std::size_t length = rows_.length;
    if (length == 0) return row(Place{0, begin}, size);
    for (Place place{begin / length, begin % length}; size > 0; ++place.row, place.column = 0) {
      const std::size_t count = std::min(size, length - place.column);
      row(place, count);
      size -= count;
    }
  }

  template <class Row>
  void for_each_long_row(std::size_t begin, std::size_t size, const Row& row) const {
    for_each_row(begin, size, [&](Place place, std::size_t count) {
      if (rows_.chosen) ask_for_rows(place.row + 1 + kUpdateBlock / rows_.length, 1);
      row(place, count);
    });
  }

  // Whether the kernel does not see the new weights as they will be.
  bool is_summarized_later() const {
    return call_.types[UpdateRole::weights] != compute_ || array_.regularizer;
  }

  // What the kernel asks for, a round at a time.
  struct Rounds {
    const Update& update;
    Place place;                   // where the row begins
    LineWriter* writer = nullptr;  // of copies
    Draws draws[1 + kStates];
    // Of gradient and state; weights, and what they decay towards, lie as computed.
    alignas(kLine) char buffer[1 + kStates][kRoundBytes];

    explicit Rounds(const Update& update_of) : update(update_of) {}

    static UpdateMemory bring(void* context, std::size_t begin, std::size_t size) {
      return static_cast<Rounds*>(context)->brought(begin, size);
    }
    static void take(void* context, std::size_t begin, std::size_t size) {
      static_cast<Rounds*>(context)->taken(begin, size);
    }

   private:
    const bool asks_ = update.call_.stochastic && prefetch_distance() == 0;

    Place from(std::size_t begin) const { return {place.row, place.column + begin}; }

    // The next round is on its way while this one's random numbers are made: a seventh less time of
    // four threads. Where there are none, the memory is busy enough; where loops read ahead, asking
    // twice took a twentieth more.
    void ask_for(Place next, std::size_t size) const {
      for (int role = 0; role < UpdateRole::count; ++role) {
        if (role == UpdateRole::copy_out && writer) continue;
        const char* const begin = update.memory(role, next);
        if (begin) ask_for_lines(begin, size * update.item(role));
      }
    }

    UpdateMemory brought(std::size_t begin, std::size_t size) {
      if (asks_) ask_for(from(begin + size), size);
      void* at[UpdateRole::count] = {};
      for (int role = 0; role < kRead; ++role) {
        at[role] = update.memory(role, from(begin));
        if (update.lies_as_computed(role)) continue;
        update.widen(role)(at[role], buffer[role - 1], size);
        at[role] = buffer[role - 1];
      }
      return memory_of(at, update.continued_);
    }

    void taken(std::size_t begin, std::size_t size) {
      const Place here = from(begin);
      for (int s = 0; s < kStates; ++s) {
        const int role = UpdateRole::first_state + s;
        if (update.lies_as_computed(role)) continue;
        update.put_beside(role, here, size, buffer[role - 1], update.memory(role, here),
                          draws[1 + s]);
      }
      constexpr int copy_out = UpdateRole::copy_out;
      if (!update.data_[copy_out]) return;
      const void* const weights = update.memory(UpdateRole::weights, here);
      void* const to = writer ? writer->next() : update.memory(copy_out, here);
      update.put_beside(copy_out, here, size, weights, to, draws[0]);
      if (writer) writer->commit(size * update.item(copy_out));
    }
  };

  [[gnu::noinline]] void work_in_rounds(std::size_t begin, std::size_t size,
                                        ChunkState& chunk) const {
    Rounds rounds(*this);
    for_each_long_row(begin, size, [&](Place place, std::size_t count) {
      rounds.place = place;
      if (streams_) {
        work_streaming(rounds, count, chunk);
      } else {
        work_on_row(rounds, count, chunk);
      }
    });
  }

  [[gnu::noinline]] void work_streaming(Rounds& rounds, std::size_t size, ChunkState& chunk) const {
    alignas(kLine) char buffer[kRoundBytes + kLine];
    LineWriter writer(memory(UpdateRole::copy_out, rounds.place), buffer);
    rounds.writer = &writer;
    work_on_row(rounds, size, chunk);
    writer.flush();
  }

  void work_on_row(Rounds& rounds, std::size_t size, ChunkState& chunk) const {
    const UpdateStages stages{&rounds, Rounds::bring, Rounds::take};
    UpdateMemory of_row{};
    of_row.weights = memory(UpdateRole::weights, rounds.place);
    of_row.stages = &stages;
    kernel_(of_row, *array_.numbers, size, &chunk);
  }

  [[gnu::noinline]] void work_in_stages(std::size_t begin, std::size_t size, ChunkState& chunk,
                                        double* sums) const {
    alignas(kLine) double costs[kMaxSums * kLanes] = {};
    Draws draws[1 + kStates];
    const std::size_t stage = kStageBytes / item_size(compute_);
    std::size_t count = stage;
    if (rows_.length == 0) {  // all but the first begin with a cache line, as rounds of the kernel
      const char* const first = memory(UpdateRole::weights, {0, begin});
      count -= reinterpret_cast<std::uintptr_t>(first) % kLine / item(UpdateRole::weights);
    }
    if (rows_.chosen) ask_for_rows(begin / rows_.length, rows_ahead_);
    for (std::size_t i = 0; i < size; i += count, count = stage) {
      count = std::min(count, size - i);
      work_on_stage(begin + i, count, draws, chunk, costs);
    }
    if (array_.regularizer) kernels().reduce.fold_lanes(costs, kMaxSums, sums + kRegularizer);
  }

  // Rows of a table lie anywhere: those ahead are on their way while others are worked on, one for
  // each that is worked on, since processors wait where they are asked for many at once.
  void ask_for_row(int role, std::size_t row) const {
    if (!is_chosen(role) || row >= row_count_) return;
    ask_for_lines(memory(role, {row, 0}), std::min(rows_.length * item(role), kAsked));
  }
  void ask_for_rows(std::size_t first, std::size_t count) const {
    for (std::size_t row = first; row < first + count; ++row) {
      for (int role = 0; role < UpdateRole::count; ++role) {
        if (data_[role]) ask_for_row(role, row);
      }
    }
  }

  // What is of another type, or lies apart, is brought to a buffer, and back.
  void work_on_stage(std::size_t begin, std::size_t size, Draws* draws, ChunkState& chunk,
                     double* costs) const {
    alignas(kLine) char buffer[kRead][kStageBytes];
    void* at[UpdateRole::count] = {};
    unsigned lying = 0;
    const bool in_one_row = rows_.length == 0 || begin % rows_.length + size <= rows_.length;
    const Place place =
        rows_.length == 0 ? Place{0, begin} : Place{begin / rows_.length, begin % rows_.length};
    for (int role = 0; role < kRead; ++role) {
      if (!data_[role]) continue;
      const bool as_it_lies = (in_one_row || rows_abut(role)) && call_.types[role] == compute_;
      at[role] = as_it_lies ? memory(role, place) : buffer[role];
      if (as_it_lies) {
        lying |= 1u << role;
        ask_for_row(role, place.row + rows_ahead_);
      } else {
        fetch(role, begin, size, buffer[role]);
      }
    }
    kernel_(memory_of(at, continued_ & lying), *array_.numbers, size,
            is_summarized_later() ? nullptr : &chunk);
    if (array_.regularizer) regularize(begin, size, at);
    for (int role = 0; role < UpdateRole::toward; ++role) {
      if (role != UpdateRole::gradient && at[role] == buffer[role]) {
        put(role, begin, size, buffer[role],
            draws[is_state(role) ? 1 + role - UpdateRole::first_state : 0]);
      }
    }
    if (data_[UpdateRole::copy_out]) {
      put(UpdateRole::copy_out, begin, size, at[UpdateRole::weights], draws[0]);
    }
    if (is_summarized_later()) {
      for_each_row(begin, size, [&](Place row, std::size_t count) {
        if (array_.regularizer) add_costs(row, count, chunk.position, costs);
        summarize(memory(UpdateRole::weights, row), count, chunk);
      });
    }
  }

  Cast widen(int role) const {
    return kernels().cast[static_cast<int>(call_.types[role])].to[static_cast<int>(compute_)];
  }

  void fetch(int role, std::size_t begin, std::size_t size, char* to) const {
    const auto convert = widen(role);
    for_each_row(begin, size, [&](Place place, std::size_t count) {
      ask_for_row(role, place.row + rows_ahead_);
      if (lies_as_computed(role)) {
        copy_row(memory(role, place), to, count * item(role));
      } else {
        convert(memory(role, place), to, count);
      }
      to += count * item_size(compute_);
    });
  }

  void put(int role, std::size_t begin, std::size_t size, const void* from, Draws& draws) const {
    const char* next = static_cast<const char*>(from);
    for_each_row(begin, size, [&](Place place, std::size_t count) {
      if (role == UpdateRole::copy_out) ask_for_row(role, place.row + rows_ahead_);
      put_beside(role, place, count, next, memory(role, place), draws);
      next += count * item_size(compute_);
    });
  }

  void put_beside(int role, Place place, std::size_t size, const void* from, void* to,
                  Draws& draws) const {
    const DType type = call_.types[role];
    if (type == compute_) {
      copy_row(from, to, size * item(role));
    } else if (call_.stochastic) {
      round_randomly(role, static_cast<const float*>(from), to, position(place), size, draws);
    } else {
      kernels().half[static_cast<int>(type)].narrow(static_cast<const float*>(from), to, size);
    }
  }

  void round_randomly(int role, const float* wide, void* to, std::uint64_t position,
                      std::size_t size, Draws& draws) const {
    const auto domain =
        static_cast<std::uint32_t>(is_state(role) ? 2 * (1 + role - UpdateRole::first_state) : 0);
    const RandomDraws from{call_.key, 0, domain};
    const auto make = [&](std::uint64_t superblock, std::uint16_t* numbers) {
      kernels().noise.draw_high_halves(from, superblock, numbers, {});
    };
    const HalfKernels& half = kernels().half[static_cast<int>(call_.types[role])];
    const std::uint64_t index = call_.index + array_.ahead + position;
    for (std::size_t i = 0, count; i < size; i += count) {
      count = size - i;
      const std::uint16_t* const u = draws.at(index + i, count, make);
      half.narrow_randomly(wide + i, u, static_cast<char*>(to) + 2 * i, count);
    }
  }

  // Elements begin … of a parameter, as numbers of this type.
  void read(const UpdateParameter& parameter, DType to, std::size_t begin, std::size_t size,
            char* numbers) const {
    const auto convert = kernels().cast[static_cast<int>(parameter.dtype)].to[static_cast<int>(to)];
    const std::size_t item = item_size(parameter.dtype);
    const std::size_t width = item_size(to);
    for_each_row(begin, size, [&](Place place, std::size_t count) {
      parameter.walk->for_each_row(
          position(place) - array_.first, count,
          [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::size_t length) {
            const char* const from = static_cast<const char*>(parameter.data) + offset;
            // Doubles, where floats are computed.
            alignas(kLine) char beside[2 * kStageBytes];
            gather({const_cast<char*>(from), stride}, item, length, beside);
            convert(beside, numbers, length);
            numbers += length * width;
          });
    });
  }

  void fill(double number, DType type, std::size_t size, char* numbers) const {
    if (type == DType::float64) {
      std::fill_n(reinterpret_cast<double*>(numbers), size, number);
    } else {
      std::fill_n(reinterpret_cast<float*>(numbers), size, static_cast<float>(number));
    }
  }

  // Of the regularizer's proximal operator.
  const MapKernels& prox() const {
    return kernels().map.of[array_.regularizer->prox][static_cast<int>(compute_)];
  }

  // A proximal operator whose parameters, and step, are the same for all elements is prepared once.
  void prepare_regularizer() {
    const UpdateRegularizer& r = *array_.regularizer;
    if (call_.adaptive) step_sizes_ = kernels().update.step_sizes[call_.op][is_double()];
    is_prepared_ = (r.step < 0 || !step_sizes_) && array_.size >= prox().least_prepared;
    for (int p = 0; p < r.prox_count; ++p)
      is_prepared_ &= p == r.step || !r.prox_parameters[p].walk;
    if (!is_prepared_) return;
    alignas(kLine) char numbers[UpdateRegularizer::kMost][sizeof(double)];
    void* parameter[UpdateRegularizer::kMost];
    for (int p = 0; p < r.prox_count; ++p) {
      fill(number_of_prox(p), compute_, 1, numbers[p]);
      parameter[p] = numbers[p];
    }
    prox().prepare(parameter, functor_);
  }

  double number_of_prox(int p) const {
    const UpdateRegularizer& r = *array_.regularizer;
    return p == r.step ? array_.numbers->size : number_of(r.prox_parameters[p]);
  }

  // The weights lie at at[UpdateRole::weights], computed, and the new state beside them.
  void regularize(std::size_t begin, std::size_t size, void* const (&at)[UpdateRole::count]) const {
    if (!is_prepared_) return regularize_each(begin, size, at);
    void* const weights = at[UpdateRole::weights];
    void* const operand[] = {weights, const_cast<char*>(functor_), weights};
    prox().scalar(operand, size);
  }

  [[gnu::noinline]] void regularize_each(std::size_t begin, std::size_t size,
                                         void* const (&at)[UpdateRole::count]) const {
    const UpdateRegularizer& r = *array_.regularizer;
    alignas(kLine) char parameters[UpdateRegularizer::kMost][kStageBytes];
    void* operand[UpdateRegularizer::kMost + 2] = {at[UpdateRole::weights]};
    for (int p = 0; p < r.prox_count; ++p) {
      operand[1 + p] = parameters[p];
      if (p == r.step && step_sizes_) {
        step_sizes_(memory_of(at), *array_.numbers, size, parameters[p]);
      } else if (p == r.step || !r.prox_parameters[p].walk) {
        fill(number_of_prox(p), compute_, size, parameters[p]);
      } else {
        read(r.prox_parameters[p], compute_, begin, size, parameters[p]);
      }
    }
    operand[1 + r.prox_count] = at[UpdateRole::weights];
    prox().arrays(operand, size);
  }

  // What the stored weights cost, as many elements of a row.
  [[gnu::noinline]] void add_costs(Place place, std::size_t size, std::size_t position,
                                   double* lanes) const {
    const UpdateRegularizer& r = *array_.regularizer;
    if (r.penalty < 0) return;
    const int dtype = static_cast<int>(call_.types[UpdateRole::weights]);
    const ReduceKernels& kernels = bridle::kernels().reduce.of[r.penalty][dtype];
    const void* const weights = memory(UpdateRole::weights, place);
    if (!is_penalty_of_arrays(r)) {
      double numbers[UpdateRegularizer::kMost];
      for (int p = 0; p < r.penalty_count; ++p) numbers[p] = number_of(r.penalty_parameters[p]);
      kernels.vector(weights, nullptr, numbers, size, position % kLanes, lanes);
      return;
    }
    constexpr std::size_t most = kStageBytes / sizeof(double);
    alignas(kLine) double parameters[UpdateRegularizer::kMost][most], each[most];
    const double* parameter[UpdateRegularizer::kMost];
    for (std::size_t i = 0, count; i < size; i += count) {
      count = std::min(most, size - i);
      for (int p = 0; p < r.penalty_count; ++p) {
        const UpdateParameter& given = r.penalty_parameters[p];
        char* const to = reinterpret_cast<char*>(parameters[p]);
        const std::size_t begin =
            rows_.length == 0 ? place.column + i : place.row * rows_.length + place.column + i;
        if (given.walk) {
          read(given, DType::float64, begin, count, to);
        } else {
          fill(number_of(given), DType::float64, count, to);
        }
        parameter[p] = parameters[p];
      }
      const char* const from = static_cast<const char*>(weights) + i * item(UpdateRole::weights);
      kernels.each(from, parameter, count, each);
      bridle::kernels().reduce.total(each, nullptr, nullptr, count, (position + i) % kLanes, lanes);
    }
  }

  // Of halves, those that were rounded.
  void summarize(const void* weights, std::size_t size, ChunkState& chunk) const {
    const int dtype = static_cast<int>(call_.types[UpdateRole::weights]);
    const UpdateNumbers& numbers = *array_.numbers;
    if (numbers.l1 != 0 || numbers.l2 != 0) {
      kernels().reduce.of[numbers.l2 != 0 ? kElasticNet : kL1][dtype].vector(
          weights, nullptr, kUnused, size, chunk.position % kLanes, chunk.lanes);
    }
    kernels().count[dtype](weights, size, chunk.counts);
    chunk.position += size;
  }

  const UpdateCall& call_;
  const UpdateArray& array_;
  const UpdateRows& rows_;
  const bool streams_;
  void* data_[UpdateRole::count];
  DType compute_;
  UpdateKernel kernel_;
  StepSizesKernel step_sizes_ = nullptr;  // of the regularizer, unless all elements have the same
  bool is_prepared_ = false;              // the regularizer's proximal operator, as this functor
  alignas(kLine) char functor_[kPreparedBytes];
  Way way_;
  unsigned continued_ = 0;  // bit r, whether the kernel may read ahead of role r
  // Of a table: those that are updated; as many as are on a stage.
  std::size_t row_count_ = 0, rows_ahead_ = 0;
};

void store(const double (&from)[kWidth], UpdateSums& to) { std::memcpy(&to, from, sizeof to); }

// Arrays first … last, each by one thread.
void update_small(const UpdateCall& call, std::size_t first, std::size_t last, UpdateSums* sums) {
  const std::uint64_t origin = call.arrays[first].first;
  const UpdateArray& end_array = call.arrays[last - 1];
  const std::size_t total = end_array.first + end_array.size - origin;
  const auto update_range = [&](std::size_t begin, std::size_t end) {
    const auto lies_before = [origin](const UpdateArray& array, std::size_t position) {
      return array.first - origin < position;
    };
    const UpdateArray* const from =
        std::lower_bound(call.arrays + first, call.arrays + last, begin, lies_before);
    for (std::size_t a = static_cast<std::size_t>(from - call.arrays); a < last; ++a) {
      const UpdateArray& array = call.arrays[a];
      if (array.first - origin >= end) break;
      if (array.size == 0) continue;
      double result[kWidth];
      sum_range<kWidth>(kWidth, 0, array.size, Update(call, array), result);
      store(result, sums[a]);
    }
  };
  parallel_for(total, 1, kLeast, update_range, Update(call, call.arrays[first]).work());
}

// Whether copies would not be in the caches any more after the call.
bool copies_exceed_caches(const UpdateCall& call) {
  if (call.count == 0 || !call.arrays[0].data[UpdateRole::copy_out]) return false;
  std::size_t bytes = 0;  // of an element
  for (int role = 0; role < UpdateRole::count; ++role) {
    if (call.arrays[0].data[role]) bytes += item_size(call.types[role]);
  }
  const UpdateArray& last = call.arrays[call.count - 1];
  return worth_streaming((last.first + last.size) * bytes);
}

}  // namespace

bool is_penalty_of_arrays(const UpdateRegularizer& r) noexcept {
  const auto is_array = [](const UpdateParameter& parameter) { return parameter.walk != nullptr; };
  return r.penalty >= 0 &&
         (has_beside(r.penalty, ReduceOps{}) ||
          std::any_of(r.penalty_parameters, r.penalty_parameters + r.penalty_count, is_array));
}

void update(const UpdateCall& call, UpdateSums* sums) noexcept {
  std::fill_n(sums, call.count, UpdateSums{});
  const bool streams = copies_exceed_caches(call);
  const auto is_large = [&](std::size_t a) { return call.arrays[a].size >= 2 * kLeast; };
  for (std::size_t a = 0; a < call.count;) {
    const std::size_t first = a;
    while (a < call.count && !is_large(a)) ++a;
    if (a > first) {
      update_small(call, first, a, sums);
    } else {
      double result[kWidth];
      const Update array(call, call.arrays[a], streams);
      sum_parallel<kWidth>(kWidth, call.arrays[a].size, kLeast, array, array.work(), result);
      store(result, sums[a++]);
    }
  }
}

}  // namespace bridle
