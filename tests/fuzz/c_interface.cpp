// The C interface under any arguments: a call that is refused has written nothing, one that is not
// gives the same bits in place, again, and element by element, and none touches memory that is not
// its own. Run by libFuzzer, or by main.cpp with random bytes; see CONTRIBUTING.md.
#include <bridle/c_api.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "targets.hpp"

namespace fuzz {

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

namespace {

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

template <class T>
void operate(Input& input, const bridle_operator& op) {
  switch (op.kind) {
    case BRIDLE_ELEMENTWISE:
      return elementwise<T>(input, op);
    case BRIDLE_PENALTY:
      return penalty<T>(input, op);
    case BRIDLE_UPDATE:
      return input.one_of(4) ? plain_update<T>(input, op) : update(input, op);
    default:
      return slices<T>(input, op);
  }
}

// What is no operator.
template <class T>
void others(Input& input) {
  switch (input.below(8)) {
    case 0:
      return clip_scale(input);
    case 1:
      return dropout<T>(input);
    default:
      return lists(input);
  }
}

}  // namespace

void call_c_interface(Input& input) {
  const bool single = input.one_of(2);
  if (input.one_of(8)) return single ? others<float>(input) : others<double>(input);
  const bridle_operator& op = *operators()[input.below(operators().size())];
  single ? operate<float>(input, op) : operate<double>(input, op);
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  fuzz::call_c_interface(input);
  return 0;
}
