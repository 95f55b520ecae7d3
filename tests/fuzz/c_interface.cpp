// The C interface under any arguments: a call that is refused has written nothing, one that is not
// gives the same bits in place, again, and element by element, and none touches memory that is not
// its own. Run by libFuzzer, or by main.cpp with random bytes; see CONTRIBUTING.md.
#include <bridle/c_api.h>

#include <cmath>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "input.hpp"

namespace {

using fuzz::Input;
using fuzz::Memory;
using fuzz::require;
using fuzz::require_same_bytes;

constexpr std::size_t kItem[] = {2, 2, 4, 8};  // of enum bridle_dtype
constexpr int kMostParameters = 8;

// Every operator that bridle_find finds.
const std::vector<const bridle_operator*>& operators() {
  static const auto found = [] {
    std::vector<const bridle_operator*> result;
    for (int i = 0; const char* name = bridle_function_name(i); ++i) {
      const std::string_view text(name);
      if (!text.ends_with("_f32")) continue;
      const std::string stem(text.substr(0, text.size() - 4));
      if (const bridle_operator* op = bridle_find(stem.c_str())) result.push_back(op);
    }
    return result;
  }();
  return found;
}

// Calls f(head…, numbers[0], …, numbers[count - 1], tail…).
template <class Number, class... Head, class... Tail>
int call(bridle_any_function f, std::tuple<Head...> head, const double* numbers, int count,
         std::tuple<Tail...> tail) {
  const auto with = [&]<std::size_t... i>(std::index_sequence<i...>) {
    using Function = int (*)(Head..., std::conditional_t<true, Number, decltype(i)>..., Tail...);
    return std::apply(
        [&](auto... arguments) { return reinterpret_cast<Function>(f)(arguments...); },
        std::tuple_cat(head, std::tuple(static_cast<Number>(numbers[i])...), tail));
  };
  switch (count) {
    case 0:
      return with(std::make_index_sequence<0>());
    case 1:
      return with(std::make_index_sequence<1>());
    case 2:
      return with(std::make_index_sequence<2>());
    case 3:
      return with(std::make_index_sequence<3>());
    case 4:
      return with(std::make_index_sequence<4>());
    default:
      require(count == 5);
      return with(std::make_index_sequence<5>());
  }
}

template <class T>
bridle_any_function function(const bridle_operator& op) {
  return sizeof(T) == 4 ? op.f32 : op.f64;
}

std::vector<double> numbers_of(Input& input, int count) {
  std::vector<double> numbers(kMostParameters);
  std::generate_n(numbers.begin(), count, [&] { return input.number(); });
  return numbers;
}

template <class T>
bool same_number(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

template <class T>
void elementwise(Input& input, const bridle_operator& op) {
  const std::int64_t n = input.length();
  Memory x(static_cast<std::size_t>(n) * sizeof(T));
  input.fill(x.data(), x.bytes(), sizeof(T));
  const Memory before(x), out(x);
  const auto numbers = numbers_of(input, op.parameter_count);
  const auto run = [&](const T* from, T* to, std::int64_t count) {
    return call<T>(function<T>(op), std::tuple(from), numbers.data(), op.parameter_count,
                   std::tuple(to, count));
  };
  const T* const begin = x.as<T>();
  require(run(begin, out.as<T>(), -1 - n) != 0 && run(begin, nullptr, n + 1) != 0);
  if (n > 2) require(run(begin, x.as<T>() + 1, n - 1) != 0);  // overlaps
  require_same_bytes(x, before);
  const bool refused = run(begin, out.as<T>(), n) != 0;
  require_same_bytes(x, before);
  if (refused) return require_same_bytes(out, before);
  require(run(begin, x.as<T>(), n) == 0);
  for (std::int64_t i = 0; i < n; ++i) {
    T one;
    require(run(before.as<T>() + i, &one, 1) == 0);
    require(same_number(one, out.as<T>()[i]) && same_number(one, x.as<T>()[i]));
  }
}

template <class T>
void penalty(Input& input, const bridle_operator& op) {
  const std::int64_t n = input.length();
  const Memory w(static_cast<std::size_t>(n) * sizeof(T));
  input.fill(w.data(), w.bytes(), sizeof(T));
  const auto numbers = numbers_of(input, op.parameter_count);
  const auto run = [&](double* result) {
    return call<double>(function<T>(op), std::tuple(w.as<const T>()), numbers.data(),
                        op.parameter_count, std::tuple(n, result));
  };
  double result = -7.0, again = -7.0;
  require(run(nullptr) != 0);
  if (run(&result) != 0) return require(result == -7.0);
  require(run(&again) == 0 && same_number(result, again));
}

// One of the three ways to see an array as vectors: the arguments before the numbers.
enum class Form { axes, offsets, labels };

template <class T>
void slices(Input& input, const bridle_operator& op) {
  const bool groups = sizeof(T) == 4 ? op.f32_labels : op.f64_labels;
  const auto form = groups ? static_cast<Form>(input.below(3)) : Form::axes;
  const std::int64_t before = input.one_of(4) ? input.length() % 9 : 1, length = input.length(),
                     after = input.one_of(4) ? input.length() % 9 : 1;
  const std::int64_t n = form == Form::axes ? before * length * after : length;
  Memory x(static_cast<std::size_t>(n) * sizeof(T));
  input.fill(x.data(), x.bytes(), sizeof(T));
  const Memory original(x), out(x);
  const std::int64_t count = static_cast<std::int64_t>(input.below(20));
  std::vector<std::int64_t> places(static_cast<std::size_t>(form == Form::offsets  ? count + 1
                                                            : form == Form::labels ? n
                                                                                   : 0));
  for (auto& place : places) {
    const auto range = static_cast<std::size_t>(form == Form::offsets ? n + 1 : count + 1);
    place = static_cast<std::int64_t>(input.below(range)) - (form == Form::labels);
  }
  if (form == Form::offsets && !input.one_of(8)) {
    std::sort(places.begin(), places.end());
    places.front() = 0;
    places.back() = n;
  }
  if (!places.empty() && input.one_of(16)) places[0] = input.take<std::int64_t>();
  const std::int64_t vectors = form == Form::axes ? before * after : count;
  const std::int64_t beside = groups ? vectors : length;
  std::vector<double> array(static_cast<std::size_t>(op.array_name ? beside : 0));
  for (double& value : array) value = input.number();
  if (op.array_name && !groups) std::sort(array.rbegin(), array.rend());
  const double* const values =
      op.array_name && !(groups && input.one_of(2)) ? array.data() : nullptr;
  auto numbers = numbers_of(input, op.parameter_count);
  if (input.one_of(2)) {
    for (double& number : numbers) number = static_cast<double>(input.below(9));  // that count
  }
  double result = -7.0;
  const auto run = [&](T* to) {
    const auto with = [&](auto last) {
      const auto tail = std::tuple(values, last);
      const auto call_with = [&](bridle_any_function f, auto head) {
        return call<double>(f, head, numbers.data(), op.parameter_count, tail);
      };
      const T* const from = x.as<T>();
      if (form == Form::axes) {
        return call_with(function<T>(op), std::tuple(from, before, length, after));
      }
      const bool wide = sizeof(T) == 8;
      const auto f = form == Form::offsets ? (wide ? op.f64_offsets : op.f32_offsets)
                                           : (wide ? op.f64_labels : op.f32_labels);
      const std::int64_t* const at = places.data();
      return call_with(f, std::tuple(from, n, at, count));
    };
    return op.kind == BRIDLE_SLICE_PENALTY ? with(&result) : with(to);
  };
  const int status = run(out.as<T>());
  require_same_bytes(x, original);
  if (status != 0) {
    require_same_bytes(out, original);
    return require(result == -7.0);
  }
  const double first = result;
  require(run(x.as<T>()) == 0);
  if (op.kind == BRIDLE_SLICE_PENALTY) return require(same_number(first, result));
  for (std::int64_t i = 0; i < n; ++i) require(same_number(out.as<T>()[i], x.as<T>()[i]));
}

// Arrays of a list, with gaps between their rows at times, and copies of their memory.
struct List {
  std::vector<bridle_array> arrays;
  std::vector<Memory> memory, before;

  void add(Input& input, std::int64_t rows, std::int64_t length, int dtype) {
    const std::int64_t stride = length + (input.one_of(4) ? static_cast<int>(input.below(5)) : 0);
    const std::int64_t extent = rows > 0 ? (rows - 1) * stride + length : 0;
    const std::size_t item = kItem[dtype];
    memory.emplace_back(static_cast<std::size_t>(extent) * item);
    input.fill(memory.back().data(), memory.back().bytes(), item);
    before.emplace_back(memory.back());
    arrays.push_back({memory.back().data(), rows, length, stride, dtype, 0});
    if (input.one_of(64)) arrays.back().rows = -1;
    if (input.one_of(64)) arrays.back().dtype = 4 + input.take<std::int8_t>() % 4 * 5;
    if (input.one_of(64)) arrays.back().data = nullptr;
  }
  const bridle_array* data() const { return arrays.data(); }
  void require_as_before() const {
    for (std::size_t i = 0; i < memory.size(); ++i) require_same_bytes(memory[i], before[i]);
  }
  // Whether the first array has elements and now lies where another one does. At times it does.
  bool overlap(Input& input, const List& other) {
    if (arrays.empty() || !input.one_of(8)) return false;
    arrays[0].data = other.arrays[0].data;
    const auto has_elements = [](const bridle_array& a) { return a.rows > 0 && a.length > 0; };
    return has_elements(arrays[0]) && has_elements(other.arrays[0]);
  }
  // The numbers of before, to do the same again.
  std::vector<Memory> restore() const {
    const std::vector<Memory> after(memory);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      std::copy_n(before[i].data(), before[i].bytes(), memory[i].data());
    }
    return after;
  }
};

// Shapes that the arrays of a call have in common, more or less.
struct Shapes {
  std::vector<std::int64_t> rows, lengths;

  explicit Shapes(Input& input) {
    for (std::size_t i = input.below(4); i > 0; --i) {
      rows.push_back(input.one_of(2) ? 1 : input.length() % 7);
      lengths.push_back(input.length());
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(rows.size()); }
  List list(Input& input, int dtype) const {
    List result;
    result.memory.reserve(rows.size());
    result.before.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t length = input.one_of(64) ? input.length() : lengths[i];
      result.add(input, rows[i], length,
                 input.one_of(32) ? static_cast<int>(input.below(4)) : dtype);
    }
    return result;
  }
};

// A call is made twice from the same start: it is refused both times with nothing written, or
// writes the same bytes. Where arrays overlap of which one is written, it is refused.
template <class Run>
void twice(const std::vector<const List*>& lists, bool overlap, const Run& run) {
  const int status = run();
  require(status != 0 || !overlap);
  std::vector<std::vector<Memory>> after;
  for (const List* list : lists) {
    if (status != 0) list->require_as_before();
    after.push_back(list->restore());
  }
  require(run() == status);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (std::size_t k = 0; k < after[i].size(); ++k) {
      require_same_bytes(after[i][k], lists[i]->memory[k]);
    }
  }
}

void update(Input& input, const bridle_operator& op) {
  const bridle_c_api& api = *bridle_get_c_api();
  const Shapes shapes(input);
  const int type = static_cast<int>(input.below(4)), wide = type == 3 ? 3 : 2;
  const List w = shapes.list(input, type), toward = shapes.list(input, type),
             copy = shapes.list(input, input.one_of(2) ? 1 : 0);
  List gradient = shapes.list(input, input.one_of(2) ? type : static_cast<int>(input.below(4)));
  const int kept = input.one_of(4) ? 1 : wide;
  const List states[3] = {shapes.list(input, kept), shapes.list(input, kept),
                          shapes.list(input, kept)};
  auto numbers = numbers_of(input, op.parameter_count);
  for (double& number : numbers) {
    if (input.one_of(8)) number = static_cast<double>(input.below(4));  // an iteration, a choice
  }
  bridle_regularization regularization = BRIDLE_REGULARIZATION_INIT;
  regularization.decay = input.take<std::int8_t>() % 4;
  regularization.cautious = input.one_of(2);
  regularization.l1 = input.number();
  regularization.l2 = input.number();
  regularization.weight_decay = input.number();
  regularization.grad_scale = input.one_of(2) ? 1.0 : input.number();
  const bridle_random_bits bits{input.take<std::uint64_t>(), input.take<std::uint64_t>(),
                                input.take<std::uint64_t>()};
  bridle_update call = BRIDLE_UPDATE_INIT;
  call.name = input.one_of(32) ? nullptr : op.name;
  call.numbers = numbers.data();
  call.count = shapes.count();
  call.w = w.data();
  const bool has_gradient = std::string_view(op.name) != "proximal_step";
  const bool overlap = gradient.overlap(input, w) && has_gradient;
  call.gradient = has_gradient != input.one_of(32) ? gradient.data() : nullptr;
  std::size_t held = 0;
  while (op.state_names && op.state_names[held]) ++held;
  for (std::size_t s = 0; s < 3; ++s) {
    call.state[s] = (s < held) != input.one_of(16) ? states[s].data() : nullptr;
  }
  call.toward = input.one_of(4) ? toward.data() : nullptr;
  call.copy_out = input.one_of(4) ? copy.data() : nullptr;
  call.regularization = input.one_of(8) ? nullptr : &regularization;
  call.random_bits = input.one_of(3) ? &bits : nullptr;
  bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  twice({&w, &gradient, &toward, &copy, &states[0], &states[1], &states[2]}, overlap,
        [&] { return api.update(&call, &summary); });
}

void lists(Input& input) {
  const bridle_c_api& api = *bridle_get_c_api();
  const Shapes shapes(input);
  const List a = shapes.list(input, static_cast<int>(input.below(4)));
  List b = shapes.list(input, static_cast<int>(input.below(4)));
  const double number = input.number();
  const std::int64_t count = input.one_of(64) ? -1 : shapes.count();
  const bridle_random_bits bits{input.take<std::uint64_t>(), 1, input.take<std::uint64_t>()};
  const bridle_random_bits* const random = input.one_of(2) ? &bits : nullptr;
  bridle_norm norm = BRIDLE_NORM_INIT;
  const std::size_t which = input.below(5);
  const bool both = which > 1;  // are in the call
  twice({&a, &b}, b.overlap(input, a) && both && count > 0, [&] {
    switch (which) {
      case 0:
        return api.global_norm(a.data(), count, number, &norm);
      case 1:
        return api.clip_by_global_norm(a.data(), count, number, input.one_of(2) ? &norm : nullptr);
      case 2:
        return api.accumulate(a.data(), b.data(), count, number);
      case 3:
        return api.average_update(a.data(), b.data(), count, number);
      default:
        return api.cast(a.data(), b.data(), count, random);
    }
  });
}

template <class T>
void operate(Input& input, const bridle_operator& op) {
  switch (op.kind) {
    case BRIDLE_ELEMENTWISE:
      return elementwise<T>(input, op);
    case BRIDLE_PENALTY:
      return penalty<T>(input, op);
    case BRIDLE_UPDATE:
      return update(input, op);
    default:
      return slices<T>(input, op);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  if (input.one_of(8)) {
    lists(input);
    return 0;
  }
  const bridle_operator& op = *operators()[input.below(operators().size())];
  input.one_of(2) ? operate<float>(input, op) : operate<double>(input, op);
  return 0;
}
