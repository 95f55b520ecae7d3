// Updates and what else works on lists of arrays: arguments of any kind, arrays that overlap.
#include <string>

#include "lists.hpp"
#include "targets.hpp"

namespace fuzz {
namespace {

constexpr double kRefused = -7.0;  // what nobody wrote

bridle_regularization regularization_of(Input& input) {
  bridle_regularization regularization = BRIDLE_REGULARIZATION_INIT;
  regularization.decay = input.take<std::int8_t>() % 4;
  regularization.cautious = input.one_of(2);
  regularization.prox_step = input.one_of(4);
  regularization.l1 = input.number();
  regularization.l2 = input.number();
  regularization.weight_decay = input.number();
  regularization.grad_scale = input.one_of(2) ? 1.0 : input.number();
  return regularization;
}

// The numbers of an update.
std::vector<double> update_numbers(Input& input, const bridle_operator& op) {
  auto numbers = numbers_of(input, op.parameter_count);
  for (double& number : numbers) {
    if (input.one_of(8)) number = static_cast<double>(input.below(4));  // an iteration, a choice
  }
  return numbers;
}

std::size_t state_count(const bridle_operator& op) {
  std::size_t count = 0;
  while (op.state_names[count]) ++count;
  return count;
}

// A number for each array at times.
struct PerArray {
  std::vector<double> numbers;

  PerArray(Input& input, std::int64_t count) {
    if (!input.one_of(8)) return;
    for (std::int64_t i = 0; i < count; ++i) numbers.push_back(input.number());
  }
  const double* data() const { return numbers.empty() ? nullptr : numbers.data(); }
};

// A regularizer for each array at times, of operators that are mostly of the right kind.
struct Regularizers {
  std::vector<std::vector<double>> numbers;
  std::vector<bridle_regularizer> each;

  Regularizers(Input& input, std::int64_t count) {
    if (!input.one_of(3)) return;
    numbers.reserve(2 * static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      bridle_regularizer regularizer{};
      add(input, BRIDLE_ELEMENTWISE, regularizer.prox, regularizer.prox_parameters);
      add(input, BRIDLE_PENALTY, regularizer.penalty, regularizer.penalty_parameters);
      each.push_back(regularizer);
    }
  }
  const bridle_regularizer* data() const { return each.empty() ? nullptr : each.data(); }

 private:
  void add(Input& input, int kind, const char*& name, const double*& parameters) {
    if (input.one_of(4)) return;
    const auto& every = operators();
    std::size_t i = input.below(every.size());
    while (every[i]->kind != kind && !input.one_of(16)) i = (i + 1) % every.size();
    name = input.one_of(64) ? "" : every[i]->name;
    numbers.push_back(numbers_of(input, kMostParameters));
    parameters = input.one_of(64) ? nullptr : numbers.back().data();
  }
};

}  // namespace

void update(Input& input, const bridle_operator& op) {
  const bridle_c_api& api = *bridle_get_c_api();
  const Shapes shapes(input);
  const int type = static_cast<int>(input.below(4)), wide = type == 3 ? 3 : 2;
  List w = shapes.list(input, type), toward = shapes.list(input, type),
       copy = shapes.list(input, input.one_of(2) ? 1 : 0),
       gradient = shapes.list(input, input.one_of(2) ? type : static_cast<int>(input.below(4)));
  const int kept = input.one_of(4) ? 1 : wide;
  List states[3] = {shapes.list(input, kept), shapes.list(input, kept), shapes.list(input, kept)};
  const auto numbers = update_numbers(input, op);
  const bridle_regularization regularization = regularization_of(input);
  const bridle_random_bits bits{input.take<std::uint64_t>(), input.take<std::uint64_t>(),
                                input.take<std::uint64_t>()};
  const PerArray lr(input, shapes.count()), l1(input, shapes.count()), l2(input, shapes.count()),
      weight_decay(input, shapes.count());
  const Regularizers regularizers(input, shapes.count());
  bridle_update call = BRIDLE_UPDATE_INIT;
  std::vector<Member> members;
  const auto take = [&](bool given, List& list, bool written, const bridle_array*& to) {
    if (!given) return;
    to = list.data();
    members.push_back({&list, written});
  };
  call.name = input.one_of(32) ? nullptr : op.name;
  call.numbers = numbers.data();
  call.count = shapes.count();
  take(true, w, true, call.w);
  const bool has_gradient = std::string_view(op.name) != "proximal_step";
  take(has_gradient != input.one_of(32), gradient, false, call.gradient);
  for (std::size_t s = 0; s < 3; ++s) {
    take((s < state_count(op)) != input.one_of(16), states[s], true, call.state[s]);
  }
  take(input.one_of(4), toward, false, call.toward);
  take(input.one_of(4), copy, true, call.copy_out);
  call.lr = lr.data();
  call.l1 = l1.data();
  call.l2 = l2.data();
  call.weight_decay = weight_decay.data();
  call.regularization = input.one_of(8) ? nullptr : &regularization;
  call.regularizer = regularizers.data();
  call.random_bits = input.one_of(3) ? &bits : nullptr;
  bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  twice({&w, &gradient, &toward, &copy, &states[0], &states[1], &states[2]},
        overlap(input, members), [&] { return api.update(&call, &summary); });
}

namespace {

// What the function of one array takes, of which those that an update does not have are unused.
template <class T>
struct Plain {
  T* w;
  const T* gradient;
  T* state[3];
  const double* numbers;
  std::int64_t iteration;
  const bridle_regularization* regularization;
  const T* toward;
  std::int64_t n;
};

template <class T>
int call_plain(std::string_view name, const Plain<T>& p, bridle_update_summary* summary) {
  const bridle_c_api& api = *bridle_get_c_api();
  const auto call = [&](auto single, auto double_, auto... head) {
    if constexpr (sizeof(T) == 4) {
      return single(head..., p.regularization, p.toward, p.n, summary);
    } else {
      return double_(head..., p.regularization, p.toward, p.n, summary);
    }
  };
  const auto [a, b, c] = p.state;
  const double *const x = p.numbers, lr = x[0];
  if (name == "proximal_step") {
    return call(api.proximal_step_f32, api.proximal_step_f64, p.w, lr);
  }
  if (name == "sgd_update") {
    return call(api.sgd_update_f32, api.sgd_update_f64, p.w, p.gradient, a, lr, x[1], x[2] != 0);
  }
  if (name == "adamw_update") {
    return call(api.adamw_update_f32, api.adamw_update_f64, p.w, p.gradient, a, b, lr, p.iteration,
                x[2], x[3], x[4]);
  }
  if (name == "adagrad_update") {
    return call(api.adagrad_update_f32, api.adagrad_update_f64, p.w, p.gradient, a, lr, x[1]);
  }
  if (name == "rmsprop_update") {
    return call(api.rmsprop_update_f32, api.rmsprop_update_f64, p.w, p.gradient, a, b, c, lr, x[1],
                x[2], x[3]);
  }
  if (name == "lion_update") {
    return call(api.lion_update_f32, api.lion_update_f64, p.w, p.gradient, a, lr, x[1], x[2]);
  }
  require(name == "ftrl_update");
  return call(api.ftrl_update_f32, api.ftrl_update_f64, p.w, p.gradient, a, b, lr, x[1]);
}

// The arrays of such a call: w, gradient, three of state, toward. At times one is missing that
// must be there, or lies where another one does.
template <class T>
struct PlainArrays {
  static constexpr std::size_t count = 6, gradient = 1, state = 2, toward = 5;
  List list;
  T* place[count];
  bool overlap = false;  // of two, of which one is written

  PlainArrays(Input& input, const bridle_operator& op, std::int64_t n) {
    list.memory.reserve(count);
    list.before.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      list.hold(input, n, sizeof(T));
      place[i] = list.memory[i].template as<T>();
    }
    const bool has_gradient = std::string_view(op.name) != "proximal_step";
    if (!has_gradient || input.one_of(32)) place[gradient] = nullptr;
    for (std::size_t s = 0; s < 3; ++s) {
      if (s >= state_count(op) || input.one_of(8)) place[state + s] = nullptr;
    }
    if (!input.one_of(4)) place[toward] = nullptr;
    if (input.one_of(6)) move(input.below(count), input.below(count), n);
  }

 private:
  static bool is_written(std::size_t i) { return i != gradient && i != toward; }
  void move(std::size_t from, std::size_t to, std::int64_t n) {
    if (from == to || !place[from] || !place[to]) return;
    place[from] = place[to];
    overlap = (is_written(from) || is_written(to)) && n > 0;
  }
};

// The same by the function of lists.
template <class T>
int call_list(const bridle_operator& op, const Plain<T>& p, bridle_update_summary* summary) {
  const std::int32_t dtype = sizeof(T) == 4 ? BRIDLE_FLOAT32 : BRIDLE_FLOAT64;
  const auto array = [&](const T* data) {
    return bridle_array BRIDLE_ARRAY(const_cast<T*>(data), dtype, p.n);
  };
  const bridle_array w = array(p.w), gradient = array(p.gradient), toward = array(p.toward),
                     state[] = {array(p.state[0]), array(p.state[1]), array(p.state[2])};
  const auto given = [](const bridle_array& a) { return a.data ? &a : nullptr; };
  bridle_update call = BRIDLE_UPDATE_INIT;
  call.name = op.name;
  call.numbers = p.numbers;
  call.count = p.n == 0 ? 0 : 1;
  call.w = given(w);
  call.gradient = given(gradient);
  std::transform(std::begin(state), std::end(state), call.state, given);
  call.toward = given(toward);
  call.regularization = p.regularization;
  return bridle_get_c_api()->update(&call, summary);
}

}  // namespace

// The function of one array does what that of a list of one does.
template <class T>
void plain_update(Input& input, const bridle_operator& op) {
  const std::int64_t n = input.length();
  const PlainArrays<T> arrays(input, op, n);
  const auto& place = arrays.place;
  auto numbers = update_numbers(input, op);
  const std::int64_t iteration =
      input.one_of(8) ? input.take<std::int64_t>() : static_cast<std::int64_t>(input.below(4));
  const std::string_view name(op.name);
  if (name == "adamw_update") numbers[1] = static_cast<double>(iteration);
  if (name == "sgd_update") numbers[2] = numbers[2] != 0;
  const bridle_regularization regularization = regularization_of(input);
  const Plain<T> plain{place[0],
                       place[1],
                       {place[2], place[3], place[4]},
                       numbers.data(),
                       iteration,
                       input.one_of(8) ? nullptr : &regularization,
                       place[5],
                       input.one_of(64) ? -1 - n : n};
  bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT, of_list = BRIDLE_UPDATE_SUMMARY_INIT;
  const int status = call_plain(name, plain, &summary);
  require(status != 0 || !arrays.overlap);
  if (status != 0) arrays.list.require_as_before();
  const auto after = arrays.list.restore();
  require(call_list(op, plain, &of_list) == status);
  for (std::size_t i = 0; i < after.size(); ++i) {
    require_same_bytes(after[i], arrays.list.memory[i]);
  }
  if (status != 0) return;
  require(summary.finite == of_list.finite && summary.nonzeros == of_list.nonzeros &&
          same_number(summary.penalty, of_list.penalty));
}
template void plain_update<float>(Input&, const bridle_operator&);
template void plain_update<double>(Input&, const bridle_operator&);

// Dropout in place, of one element at a time and by its mask is the same.
template <class T>
void dropout(Input& input) {
  const bridle_c_api& api = *bridle_get_c_api();
  const std::int64_t n = input.length();
  const Memory x(static_cast<std::size_t>(n) * sizeof(T));
  input.fill(x.data(), x.bytes(), sizeof(T));
  const Memory before(x), out(x), keep(static_cast<std::size_t>(n));
  const double p = input.number();
  const auto seed = input.take<std::uint64_t>(), stream = input.take<std::uint64_t>(),
             offset = input.one_of(4) ? 0 - input.below(8192) : input.take<std::uint64_t>() / 2;
  const auto run = [&](const T* from, T* to, std::int64_t first, std::int64_t count) {
    const std::uint64_t at = offset + static_cast<std::uint64_t>(first);
    if constexpr (sizeof(T) == 4)
      return api.dropout_f32(from, p, seed, stream, at, to, count);
    else
      return api.dropout_f64(from, p, seed, stream, at, to, count);
  };
  if (n > 2) require(run(x.as<T>(), x.as<T>() + 1, 0, n - 1) != 0);  // overlaps
  const int status = run(x.as<T>(), out.as<T>(), 0, n);
  require_same_bytes(x, before);
  require((api.dropout_mask(p, seed, stream, offset, keep.as<std::uint8_t>(), n) == 0) ==
          (status == 0));
  if (status != 0) return require_same_bytes(out, before);
  require(run(x.as<T>(), x.as<T>(), 0, n) == 0);
  require_same_bytes(x, out);
  for (std::int64_t i = 0; i < n; ++i) {
    T one;
    require(run(before.as<T>() + i, &one, i, 1) == 0);
    require(std::memcmp(&one, out.as<T>() + i, sizeof(T)) == 0);
    const std::uint8_t kept = keep.as<std::uint8_t>()[i];
    const T zero = 0;
    require(kept == 1 || (kept == 0 && std::memcmp(&one, &zero, sizeof(T)) == 0));
  }
}
template void dropout<float>(Input&);
template void dropout<double>(Input&);

void clip_scale(Input& input) {
  bridle_norm norm = BRIDLE_NORM_INIT;
  norm.finite = input.one_of(4) ? static_cast<int>(input.below(3)) : 1;
  norm.l2 = std::abs(input.number());
  norm.largest = input.number();
  double scale = kRefused;
  const double most = input.number();
  const int status = bridle_get_c_api()->clip_scale(&norm, most, &scale);
  if (status != 0) return require(scale == kRefused);
  require(std::isnan(norm.l2) || (scale >= 0 && scale <= 1));
}

void lists(Input& input) {
  const bridle_c_api& api = *bridle_get_c_api();
  const Shapes shapes(input);
  List a = shapes.list(input, static_cast<int>(input.below(4)));
  List b = shapes.list(input, static_cast<int>(input.below(4)));
  const double number = input.number();
  const std::int64_t count = input.one_of(64) ? -1 : shapes.count();
  const bridle_random_bits bits{input.take<std::uint64_t>(), 1, input.take<std::uint64_t>()};
  const bridle_random_bits* const random = input.one_of(2) ? &bits : nullptr;
  bridle_norm norm = BRIDLE_NORM_INIT;
  const std::size_t which = input.below(5);
  std::vector<Member> members = {{&a, which == 1 || which == 2 || which == 3}};
  if (which > 1) members.push_back({&b, which == 4});
  twice({&a, &b}, overlap(input, members) && count > 0, [&] {
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

}  // namespace fuzz
