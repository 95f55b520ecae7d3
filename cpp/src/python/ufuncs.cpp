#include "ufuncs.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "drivers/operators.hpp"
#include "threads/status_flags.hpp"

namespace bridle::python {
namespace {

// What a loop knows about itself; NumPy keeps the address.
struct Loop {
  int op;
  DType dtype;
};

// NumPy does not copy what it is given, so all of it lives as long as the process.
struct Registration {
  std::vector<Loop> loops;
  std::vector<void*> data;
  std::vector<PyUFuncGenericFunction> functions;
  std::vector<char> types;
  std::string signature;
};

void map_loop(char** args, const npy_intp* dimensions, const npy_intp* steps, void* data) {
  const Loop& loop = *static_cast<const Loop*>(data);
  const std::size_t operands = kMapOperators[loop.op].params.size() + 2;
  // NumPy may have allocated the result just now: whether its pages are fresh is not known here.
  MapCall call{{}, static_cast<std::size_t>(dimensions[0]), Output::fresh};
  for (std::size_t i = 0; i < operands; ++i) call.operand[i] = {args[i], steps[i]};
  map(loop.op, loop.dtype, call);
}

void raise_no_memory() {
  NPY_ALLOW_C_API_DEF;
  NPY_ALLOW_C_API;
  PyErr_NoMemory();
  NPY_DISABLE_C_API;
}

void penalty_loop(char** args, const npy_intp* dimensions, const npy_intp* steps, void* data) {
  const Loop& loop = *static_cast<const Loop*>(data);
  const PenaltyOperator& penalty = kPenalties[loop.op];
  const int params = static_cast<int>(penalty.params.size());
  const npy_intp* const core_strides =
      steps + params + 2;  // of the weights, and what is beside them
  const npy_intp batch = std::min<npy_intp>(dimensions[0], 4096);
  // The caller's stack may be small.
  const std::unique_ptr<double[]> memory(
      new (std::nothrow) double[static_cast<std::size_t>(batch * (penalty.sums + params))]);
  if (!memory) return raise_no_memory();
  double *const sums = memory.get(), *const values = sums + batch * penalty.sums;
  const KeepStatusFlags keep;  // `finish` may overflow
  for (npy_intp first = 0; first < dimensions[0]; first += batch) {
    const npy_intp count = std::min(batch, dimensions[0] - first);
    for (npy_intp v = 0; v < count; ++v) {
      for (int p = 0; p < params; ++p) {
        const bool none = p == 0 && penalty.beside;  // no number, and perhaps no element
        values[v * params + p] =
            none ? 0.0 : *reinterpret_cast<const double*>(args[1 + p] + (first + v) * steps[1 + p]);
      }
    }
    Vectors vectors{{args[0] + first * steps[0], core_strides[0]},
                    static_cast<std::size_t>(dimensions[1]),
                    steps[0],
                    static_cast<std::size_t>(count)};
    if (penalty.beside) {
      vectors.beside = {args[1] + first * steps[1], core_strides[1]};
      vectors.beside_apart = steps[1];
    }
    reduce_many(loop.op, loop.dtype, vectors, values, sums);
    for (npy_intp v = 0; v < count; ++v) {
      *reinterpret_cast<double*>(args[1 + params] + (first + v) * steps[1 + params]) =
          penalty.finish(values + v * params, sums + v * penalty.sums);
    }
  }
}

// The types of x, of the parameters and of the result.
struct Types {
  int x, parameter, out;
};

PyObject* make_ufunc(const Operator& op, int index, PyUFuncGenericFunction function,
                     Types (*types_of)(DType), std::string signature) {
  auto& r = *new Registration;  // never freed, see above
  const int params = static_cast<int>(op.params.size());
  r.signature = std::move(signature);
  std::vector<DType> dtypes{DType::float16, DType::float32, DType::float64};
  if (op.complex) dtypes.insert(dtypes.end(), {DType::complex64, DType::complex128});
  const int builtin = static_cast<int>(dtypes.size());
  dtypes.push_back(DType::bfloat16);  // the last one: a type that NumPy got from elsewhere
  for (const DType dtype : dtypes) r.loops.push_back({index, dtype});
  for (Loop& loop : r.loops) {
    r.data.push_back(&loop);
    r.functions.push_back(function);
    const Types types = types_of(loop.dtype);
    r.types.push_back(static_cast<char>(types.x));
    r.types.insert(r.types.end(), params, static_cast<char>(types.parameter));
    r.types.push_back(static_cast<char>(types.out));
  }
  PyObject* ufunc = PyUFunc_FromFuncAndDataAndSignature(
      r.functions.data(), r.data.data(), r.types.data(), builtin, 1 + params, 1, PyUFunc_None,
      op.name, "", 0, r.signature.empty() ? nullptr : r.signature.c_str());
  if (!ufunc) return nullptr;
  const Types types = types_of(DType::bfloat16);
  std::vector<int> user_types(params + 2, types.parameter);
  user_types.front() = types.x;
  user_types.back() = types.out;
  if (PyUFunc_RegisterLoopForType(reinterpret_cast<PyUFuncObject*>(ufunc),
                                  type_number(DType::bfloat16), function, user_types.data(),
                                  r.data[builtin]) < 0) {
    Py_DECREF(ufunc);
    return nullptr;
  }
  return ufunc;
}

Types map_types(DType dtype) {
  const int x = type_number(dtype);
  return {x, compute_size(dtype) == sizeof(double) ? NPY_DOUBLE : NPY_FLOAT, x};
}

Types penalty_types(DType dtype) { return {type_number(dtype), NPY_DOUBLE, NPY_DOUBLE}; }

bool add(PyObject* dictionary, const char* name, PyObject* ufunc) {
  if (!ufunc) return false;
  const bool added = PyDict_SetItemString(dictionary, name, ufunc) == 0;
  Py_DECREF(ufunc);
  return added;
}

}  // namespace

bool add_ufuncs(PyObject* dictionary) {
  int index = 0;
  for (const Operator& op : kMapOperators) {
    if (!add(dictionary, op.name, make_ufunc(op, index++, map_loop, map_types, ""))) return false;
  }
  index = 0;
  for (const PenaltyOperator& penalty : kPenalties) {
    std::string signature = "(n)";
    for (std::size_t p = 0; p < penalty.params.size(); ++p) {
      signature += p == 0 && penalty.beside ? ",(n)" : ",()";
    }
    signature += "->()";
    if (!add(dictionary, penalty.name,
             make_ufunc(penalty, index++, penalty_loop, penalty_types, signature))) {
      return false;
    }
  }
  return true;
}

}  // namespace bridle::python
