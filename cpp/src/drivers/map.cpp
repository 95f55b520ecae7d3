#include <algorithm>
#include <cstdlib>

#include "core.hpp"
#include "dispatch.hpp"
#include "streaming.hpp"
#include "strided.hpp"
#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle {
namespace {

constexpr std::size_t kBlockBytes =
    1024;  // of x, worked on at a time where that is not all at once
constexpr std::size_t kLeastPerThread =
    32 * 1024;  // elements; below, waking a thread costs more than it saves
static_assert(kBlockBytes <= StreamWriter::kPiece);

// One call, as every thread sees it.
struct MapPlan {
  const MapCall& call;
  int parameters;
  std::size_t item, parameter_item;
  bool arrays;      // some parameter differs from element to element
  bool contiguous;  // the kernel can work on the operands as they are
  bool streaming;
  MapKernel kernel;
  alignas(kLine) char functor[kPreparedBytes] = {};  // unless `arrays`, what the kernel calls

  Operand x() const { return call.operand[0]; }
  Operand parameter(int p) const { return call.operand[1 + p]; }
  Operand out() const { return call.operand[1 + parameters]; }

  void run(const void* x, void* const* parameter, void* out, std::size_t size) const {
    void* operand[kMaxOperands] = {const_cast<void*>(x), const_cast<char*>(functor), out};
    if (arrays) {
      std::copy_n(parameter, parameters, operand + 1);
      operand[1 + parameters] = out;
    }
    kernel(operand, size);
  }
};

// Whether out shares memory with another operand, save element for element.
bool overlaps(const MapPlan& plan) {
  const auto first_byte = [&](Operand operand) {
    return operand.stride < 0 ? at(operand, plan.call.size - 1) : operand.data;
  };
  const auto bytes = [&](Operand operand, std::size_t item) {
    return (plan.call.size - 1) * static_cast<std::size_t>(std::abs(operand.stride)) + item;
  };
  const Operand out = plan.out();
  const char* const out_first = first_byte(out);
  const char* const out_last = out_first + bytes(out, plan.item);
  for (int i = 0; i <= plan.parameters; ++i) {
    const Operand in = plan.call.operand[i];
    if (in.data == out.data && in.stride == out.stride) continue;
    const char* const first = first_byte(in);
    const char* const last = first + bytes(in, i == 0 ? plan.item : plan.parameter_item);
    if (first < out_last && out_first < last) return true;
  }
  return false;
}

void run_at_once(const MapPlan& plan, std::size_t begin, std::size_t end) {
  void* parameter[kMaxOperands];
  for (int p = 0; p < plan.parameters; ++p) parameter[p] = at(plan.parameter(p), begin);
  plan.run(at(plan.x(), begin), parameter, at(plan.out(), begin), end - begin);
}

// In blocks: what is not contiguous is gathered; where every parameter must be an array, a number
// fills its block once.
void run_in_blocks(const MapPlan& plan, std::size_t begin, std::size_t end) {
  alignas(64) char block[kMaxOperands][2 * kBlockBytes];  // the parameters of halves are floats
  const std::size_t step = kBlockBytes / plan.item;
  void* parameter[kMaxOperands];
  for (int p = 0; p < plan.parameters; ++p) {
    parameter[p] = block[p];
    if (plan.arrays && plan.parameter(p).stride == 0) {
      gather(plan.parameter(p), plan.parameter_item, std::min(step, end - begin), block[p]);
    }
  }
  char* const block_of_x = block[plan.parameters];
  char* const block_of_out = block[plan.parameters + 1];
  const bool scattered = !is_contiguous(plan.out(), plan.item);
  StreamWriter writer(at(plan.out(), begin));
  for (std::size_t i = begin, size; i < end; i += size) {
    size = std::min(step, end - i);
    // A line may begin within a complex number.
    if (plan.streaming) {
      size = std::max<std::size_t>(writer.best_size(size * plan.item) / plan.item, 1);
    }
    const void* const x = contiguous(plan.x(), plan.item, i, size, block_of_x);
    for (int p = 0; p < plan.parameters; ++p) {
      if (plan.parameter(p).stride == 0) continue;
      parameter[p] = contiguous(plan.parameter(p), plan.parameter_item, i, size, block[p]);
    }
    void* const out = plan.streaming ? writer.next() : scattered ? block_of_out : at(plan.out(), i);
    plan.run(x, parameter, out, size);
    if (plan.streaming) {
      writer.commit(size * plan.item);
    } else if (scattered) {
      scatter(block_of_out, plan.item, size, {at(plan.out(), i), plan.out().stride});
    }
  }
  if (plan.streaming) writer.flush();
}

template <template <class> class... Op>
constexpr int parameter_count(int op, MapList<Op...>) {
  static_assert(((Op<float>::params.size() + 2 <= kMaxOperands) && ...));
  constexpr int counts[] = {static_cast<int>(Op<float>::params.size())...};
  return counts[op];
}

MapPlan make_plan(int op, DType dtype, const MapCall& call) {
  MapPlan plan{call,
               parameter_count(op, MapOps{}),
               item_size(dtype),
               compute_size(dtype),
               false,
               false,
               false,
               nullptr};
  bool parameters_contiguous = true;
  for (int p = 0; p < plan.parameters; ++p) {
    plan.arrays |= plan.parameter(p).stride != 0;
    parameters_contiguous &= is_contiguous(plan.parameter(p), plan.parameter_item);
  }
  const MapKernels& variants = kernels().map.of[op][static_cast<int>(dtype)];
  if (plan.parameters > 0 && call.size < variants.least_prepared) plan.arrays = true;
  const bool x_and_out = is_contiguous(plan.x(), plan.item) && is_contiguous(plan.out(), plan.item);
  plan.contiguous = x_and_out && (parameters_contiguous || !plan.arrays);
  plan.streaming = x_and_out && call.output == Output::reused && plan.x().data != plan.out().data &&
                   worth_streaming(2 * call.size * plan.item);
  plan.kernel = plan.arrays ? variants.arrays : variants.scalar;
  if (!plan.arrays) {
    void* parameter[kMaxOperands];
    for (int p = 0; p < plan.parameters; ++p) parameter[p] = plan.parameter(p).data;
    variants.prepare(parameter, plan.functor);
  }
  return plan;
}

// What makes the same kernel take another time.
int variant_of(const MapPlan& plan) {
  const bool in_place = plan.x().data == plan.out().data;
  const bool fresh = plan.call.output == Output::fresh;
  return plan.contiguous + 2 * plan.streaming + 4 * in_place + 8 * fresh;
}

}  // namespace

void map(int op, DType dtype, const MapCall& call) noexcept {
  if (call.size == 0) return;
  const KeepStatusFlags keep;  // already for what is prepared
  const MapPlan plan = make_plan(op, dtype, call);
  const bool in_order = call.size >= 2 * kLeastPerThread && overlaps(plan);
  parallel_for(
      call.size, kBlockBytes, in_order ? call.size : kLeastPerThread,
      [&plan](std::size_t begin, std::size_t end) {
        if (plan.contiguous && !plan.streaming) {
          run_at_once(plan, begin, end);
        } else {
          run_in_blocks(plan, begin, end);
        }
      },
      work_of(plan.kernel, variant_of(plan)));
}

}  // namespace bridle
