/* The operators as plain C functions, for any language that can call one.
 *
 * Every function works on arrays of n elements of float (_f32) or double (_f64), or on lists of
 * arrays of any types (c_arrays.h), on as many threads as the size is worth, and gives the bits
 * that the Python and C++ functions of that name give. It may be called from any thread, needs no
 * lock (of Python, say) and throws nothing; none but the operators of slices and what works on
 * lists allocates anything. Several calls may read one array at a time; nobody else may touch an
 * array that a call writes.
 *
 * The result is 0, or, with nothing written, another number if an argument is not allowed: n is
 * negative, a pointer is null though n > 0 (that of a penalty's result: always; one that may be
 * null: never) or not aligned to its type, a parameter is NaN or outside the range given below, out
 * overlaps x without being x, an array that an update writes overlaps another one, or a structure
 * has a size that it never had.
 *
 * In Python, bridle.c_api() gives a capsule with the whole table, bridle.c_api_address(name) the
 * address of one function. Programs that link the library call bridle_get_c_api() or
 * bridle_function(). */
#ifndef BRIDLE_C_API_H
#define BRIDLE_C_API_H

#include <bridle/c_arrays.h>
#include <bridle/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a program made for another version must not use the table. */
#define BRIDLE_C_API_VERSION 1

/* The name of the capsule, for PyCapsule_GetPointer. */
#define BRIDLE_C_API_CAPSULE "bridle.c_api"

/* The structures of an update begin with the size that they had where they were compiled, which
 * their initializers say. That of an older header may be smaller: what it lacks is as it is
 * initialized, or is not told. One that is larger than the library knows is refused, and so is one
 * that is smaller than the first. Members are only ever added, at the end, without padding. */

/* What regularizes a fused update; since 0.1. To begin with:
 *   struct bridle_regularization regularization = BRIDLE_REGULARIZATION_INIT; */
struct bridle_regularization {
  uint32_t size;       /* sizeof(struct bridle_regularization) */
  int32_t decay;       /* one of enum bridle_decay */
  int32_t cautious;    /* not 0: spares elements whose update and distance from `toward` have
                          opposite signs from a decay that is not coupled */
  int32_t prox_step;   /* one of enum bridle_prox_step */
  double l1, l2;       /* of the penalty l1·Σ|w| + l2·Σw²; >= 0 */
  double weight_decay; /* >= 0 */
  double grad_scale;   /* multiplies the gradient; not NaN */
};

/* Nothing; BRIDLE_DECAY_DECOUPLED and BRIDLE_PROX_STEP_ADAPTIVE. */
#define BRIDLE_REGULARIZATION_INIT \
  {sizeof(struct bridle_regularization), 0, 0, 0, 0.0, 0.0, 0.0, 1.0}

/* What weight decay does, t being `toward`, or 0. */
enum bridle_decay {
  BRIDLE_DECAY_DECOUPLED = 0, /* w ← t + (1 − lr·weight_decay)·(w − t) before the update */
  BRIDLE_DECAY_COUPLED = 1,   /* g ← g + weight_decay·(w − t) */
  BRIDLE_DECAY_FULL = 2       /* w ← t + (1 − weight_decay)·(w − t) before the update */
};

/* The step of the proximal operator. */
enum bridle_prox_step {
  BRIDLE_PROX_STEP_ADAPTIVE =
      0,                      /* lr over the denominator of each element's update, if it has one */
  BRIDLE_PROX_STEP_SCALAR = 1 /* lr */
};

/* What an update tells of the weights that it has written; since 0.1. To begin with:
 *   struct bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT; */
struct bridle_update_summary {
  uint32_t size;    /* sizeof(struct bridle_update_summary); it stays */
  int32_t finite;   /* 1 if no weight is infinite or NaN, else 0 */
  double penalty;   /* l1·Σ|w| + l2·Σw² */
  int64_t nonzeros; /* number of weights that are not zero */
};

#define BRIDLE_UPDATE_SUMMARY_INIT {sizeof(struct bridle_update_summary), 0, 0.0, 0}

/* Members are only ever added, at the end: whoever finds the right version and at least the size
 * that it was compiled with may use every member that it knows. Each came with the version of
 * bridle that stands above it. */
struct bridle_c_api {
  /* Since 0.1. */

  uint32_t version; /* BRIDLE_C_API_VERSION of the library */
  uint32_t size;    /* bytes of the table */

  /* Elementwise operators: out[i] becomes the result for x[i]. */

  /* sign(x)·max(|x| − threshold, 0); threshold >= 0, in the units of x */
  int (*soft_threshold_f32)(const float* x, float threshold, float* out, int64_t n);
  int (*soft_threshold_f64)(const double* x, double threshold, double* out, int64_t n);

  /* soft_threshold(x, step·l1) / (1 + 2·step·l2); l1, l2, step >= 0 */
  int (*prox_elastic_net_f32)(const float* x, float l1, float l2, float step, float* out,
                              int64_t n);
  int (*prox_elastic_net_f64)(const double* x, double l1, double l2, double step, double* out,
                              int64_t n);

  /* x / (1 + 2·step·strength); strength, step >= 0 */
  int (*prox_l2_f32)(const float* x, float strength, float step, float* out, int64_t n);
  int (*prox_l2_f64)(const double* x, double strength, double step, double* out, int64_t n);

  /* w·(1 − rate); rate, the learning rate times the weight decay, between 0 and 1 */
  int (*decay_f32)(const float* w, float rate, float* out, int64_t n);
  int (*decay_f64)(const double* w, double rate, double* out, int64_t n);

  /* l1·sign(w) + 2·l2·w; l1, l2 >= 0 */
  int (*elastic_net_gradient_f32)(const float* w, float l1, float l2, float* out, int64_t n);
  int (*elastic_net_gradient_f64)(const double* w, double l1, double l2, double* out, int64_t n);

  /* Penalties: one number, accumulated in double, goes to *result; 0 for no elements. */

  /* strength·Σ|w|; strength >= 0 */
  int (*l1_penalty_f32)(const float* w, double strength, int64_t n, double* result);
  int (*l1_penalty_f64)(const double* w, double strength, int64_t n, double* result);

  /* strength·Σw², without ½; strength >= 0 */
  int (*l2_penalty_f32)(const float* w, double strength, int64_t n, double* result);
  int (*l2_penalty_f64)(const double* w, double strength, int64_t n, double* result);

  /* l1·Σ|w| + l2·Σw²; l1, l2 >= 0 */
  int (*elastic_net_penalty_f32)(const float* w, double l1, double l2, int64_t n, double* result);
  int (*elastic_net_penalty_f64)(const double* w, double l1, double l2, int64_t n, double* result);

  /* Dropout. Whether an element is kept is a function of seed, stream and its index, which is
   * offset + i; offset + n < 2⁶⁴. */

  /* x / (1 − p) with probability 1 − p, else +0.0, also where x is infinite or NaN; p, realised as
   * a multiple of 2⁻³², between 0 and 1. p = 0 leaves every bit, p = 1 gives zeros. */
  int (*dropout_f32)(const float* x, double p, uint64_t seed, uint64_t stream, uint64_t offset,
                     float* out, int64_t n);
  int (*dropout_f64)(const double* x, double p, uint64_t seed, uint64_t stream, uint64_t offset,
                     double* out, int64_t n);

  /* The decisions of dropout: keep[i] becomes 1 where element i is kept, else 0. */
  int (*dropout_mask)(double p, uint64_t seed, uint64_t stream, uint64_t offset, uint8_t* keep,
                      int64_t n);

  /* Fused updates: one step of an optimizer, in place, in one pass over memory. Weights w and state
   * are read and written, gradient g and `toward` are read. With g ← grad_scale·g: decay, then the
   * update w ← w − lr·u, then w ← prox_elastic_net(w, l1, l2, s), s the step of `prox_step`.
   *
   * regularization may be null: nothing; its rate of a decay that is not coupled (lr·weight_decay
   * or weight_decay) is between 0 and 1. toward, the weights to decay towards, may be null: zero.
   * summary may be null. lr >= 0, unless another range is given. */

  /* No gradient: u = 0, lr is called step. Of the regularization takes l1, l2 and weight_decay; the
   * rest stays as it is initialized. */
  int (*proximal_step_f32)(float* w, double step,
                           const struct bridle_regularization* regularization, const float* toward,
                           int64_t n, struct bridle_update_summary* summary);
  int (*proximal_step_f64)(double* w, double step,
                           const struct bridle_regularization* regularization, const double* toward,
                           int64_t n, struct bridle_update_summary* summary);

  /* b ← momentum·b + g; u = b or, if nesterov is not 0, g + momentum·b. momentum >= 0; b is null if
   * it is 0, else it is not, and only then there is Nesterov's form. */
  int (*sgd_update_f32)(float* w, const float* gradient, float* momentum_buffer, double lr,
                        double momentum, int nesterov,
                        const struct bridle_regularization* regularization, const float* toward,
                        int64_t n, struct bridle_update_summary* summary);
  int (*sgd_update_f64)(double* w, const double* gradient, double* momentum_buffer, double lr,
                        double momentum, int nesterov,
                        const struct bridle_regularization* regularization, const double* toward,
                        int64_t n, struct bridle_update_summary* summary);

  /* m ← beta1·m + (1 − beta1)·g; v ← beta2·v + (1 − beta2)·g²;
   * u = m / (1 − beta1^t) / (√v / √(1 − beta2^t) + epsilon), t = iteration >= 1;
   * 0 <= beta1, beta2 < 1; epsilon >= 0. Adam, if the decay is coupled. */
  int (*adamw_update_f32)(float* w, const float* gradient, float* first_moment,
                          float* second_moment, double lr, int64_t iteration, double beta1,
                          double beta2, double epsilon,
                          const struct bridle_regularization* regularization, const float* toward,
                          int64_t n, struct bridle_update_summary* summary);
  int (*adamw_update_f64)(double* w, const double* gradient, double* first_moment,
                          double* second_moment, double lr, int64_t iteration, double beta1,
                          double beta2, double epsilon,
                          const struct bridle_regularization* regularization, const double* toward,
                          int64_t n, struct bridle_update_summary* summary);

  /* a ← a + g²; u = g / (√a + epsilon); epsilon >= 0 */
  int (*adagrad_update_f32)(float* w, const float* gradient, float* accumulator, double lr,
                            double epsilon, const struct bridle_regularization* regularization,
                            const float* toward, int64_t n, struct bridle_update_summary* summary);
  int (*adagrad_update_f64)(double* w, const double* gradient, double* accumulator, double lr,
                            double epsilon, const struct bridle_regularization* regularization,
                            const double* toward, int64_t n, struct bridle_update_summary* summary);

  /* v ← alpha·v + (1 − alpha)·g²; d = √v + epsilon or, if there is a gradient average
   * a ← alpha·a + (1 − alpha)·g, d = √(v − a²) + epsilon; b ← momentum·b + g / d; u = b.
   * 0 <= alpha < 1; epsilon >= 0; momentum >= 0; b is null if it is 0, else it is not; a may be
   * null. */
  int (*rmsprop_update_f32)(float* w, const float* gradient, float* square_average,
                            float* momentum_buffer, float* gradient_average, double lr,
                            double alpha, double epsilon, double momentum,
                            const struct bridle_regularization* regularization, const float* toward,
                            int64_t n, struct bridle_update_summary* summary);
  int (*rmsprop_update_f64)(double* w, const double* gradient, double* square_average,
                            double* momentum_buffer, double* gradient_average, double lr,
                            double alpha, double epsilon, double momentum,
                            const struct bridle_regularization* regularization,
                            const double* toward, int64_t n, struct bridle_update_summary* summary);

  /* u = sign(beta1·b + (1 − beta1)·g); b ← beta2·b + (1 − beta2)·g; 0 <= beta1, beta2 < 1 */
  int (*lion_update_f32)(float* w, const float* gradient, float* momentum_buffer, double lr,
                         double beta1, double beta2,
                         const struct bridle_regularization* regularization, const float* toward,
                         int64_t n, struct bridle_update_summary* summary);
  int (*lion_update_f64)(double* w, const double* gradient, double* momentum_buffer, double lr,
                         double beta1, double beta2,
                         const struct bridle_regularization* regularization, const double* toward,
                         int64_t n, struct bridle_update_summary* summary);

  /* z ← z + g − (√(a + g²) − √a) / lr·w; a ← a + g²; w = 0 where |z| <= l1, else
   * −(z − sign(z)·l1) / ((beta + √a) / lr + 2·l2). lr > 0; beta >= 0. Of the regularization takes
   * l1, l2 and grad_scale; the rest stays as it is initialized, and toward is null. */
  int (*ftrl_update_f32)(float* w, const float* gradient, float* linear, float* accumulator,
                         double lr, double beta, const struct bridle_regularization* regularization,
                         const float* toward, int64_t n, struct bridle_update_summary* summary);
  int (*ftrl_update_f64)(double* w, const double* gradient, double* linear, double* accumulator,
                         double lr, double beta, const struct bridle_regularization* regularization,
                         const double* toward, int64_t n, struct bridle_update_summary* summary);

  /* Lists of arrays; see c_arrays.h. */

  /* The step of an optimizer, as the functions above. summary, of all arrays, may be null. */
  int (*update)(const struct bridle_update* update, struct bridle_update_summary* summary);

  /* |scale| times the norm, and times the largest magnitude, of all elements, without over- or
   * underflow: NaN if one is NaN, else infinite if one is that; 0 for no elements. */
  int (*global_norm)(const struct bridle_array* arrays, int64_t count, double scale,
                     struct bridle_norm* norm);

  /* min(1, max_norm / l2), 1 where l2 is 0, goes to *scale: as grad_scale of an update it clips
   * without writing a gradient. Refused if the norm is not finite. max_norm >= 0. */
  int (*clip_scale)(const struct bridle_norm* norm, double max_norm, double* scale);

  /* Multiplies all elements by that, unless it is 1, and tells the norm before; norm may be null.
   */
  int (*clip_by_global_norm)(const struct bridle_array* arrays, int64_t count, double max_norm,
                             struct bridle_norm* norm);

  /* total ← total + scale·gradient; float64 both, or float32 and any but float64. scale is not NaN.
   */
  int (*accumulate)(const struct bridle_array* total, const struct bridle_array* gradient,
                    int64_t count, double scale);

  /* average ← average + (1 − decay)·(w − average); types as above. decay between 0 and 1. */
  int (*average_update)(const struct bridle_array* average, const struct bridle_array* w,
                        int64_t count, double decay);

  /* out ← x, rounded to its type: to nearest even, or with random_bits, which may be null, at
   * random to float16 or bfloat16. */
  int (*cast)(const struct bridle_array* x, const struct bridle_array* out, int64_t count,
              const struct bridle_random_bits* random_bits);

  /* What was not allowed in the last call of this thread to an update or a function of lists that
   * was refused, in one line; "" before. It lasts until the next one. */
  const char* (*last_error)(void);
};

/* The table, which lasts as long as the process. */
BRIDLE_API const struct bridle_c_api* bridle_get_c_api(void);

/* The function of that name, "soft_threshold_f32" for example, to be converted to its type; null if
 * there is none, or no name. */
typedef void (*bridle_any_function)(void);
BRIDLE_API bridle_any_function bridle_function(const char* name);

/* What there is to know of an operator; since 0.1. T is float for f32 and double for f64. Members
 * are only ever added, at the end.
 *   const struct bridle_operator* op = bridle_find("prox_mcp");
 *   int (*f)(const float*, float, float, float, float*, int64_t) =
 *       (int (*)(const float*, float, float, float, float*, int64_t))op->f32; */
struct bridle_operator {
  uint32_t size;                      /* bytes of this structure in the library */
  int32_t kind;                       /* one of enum bridle_operator_kind */
  int32_t parameter_count;            /* may be 0 */
  int32_t reserved;                   /* 0 */
  const char* name;                   /* "prox_mcp" */
  const char* const* parameter_names; /* as many, in the order of the functions; then null */
  bridle_any_function f32, f64;       /* to be converted to their types */
  /* Of an operator of slices, else null. */
  const char* array_name; /* of its array, "weights" say; null if it has none */
  bridle_any_function f32_offsets, f64_offsets; /* of an operator of groups, else null */
  bridle_any_function f32_labels, f64_labels;
  /* Of an update: the names of the arrays of its state; then null. Else null. */
  const char* const* state_names;
};

enum bridle_operator_kind {
  BRIDLE_ELEMENTWISE = 0, /* int f(const T* x, T parameter…, T* out, int64_t n) */
  BRIDLE_PENALTY = 1,     /* int f(const T* w, double parameter…, int64_t n, double* result) */
  BRIDLE_SLICES = 2,
  BRIDLE_SLICE_PENALTY = 3,
  BRIDLE_UPDATE = 4 /* as in the table above */
};

/* Operators of slices see an array as vectors. They are, with `double* result` in place of `T* out`
 * for a penalty, which is added up over all vectors,
 *
 *   f32, f64: int f(const T* x, int64_t before, int64_t length, int64_t after, double parameter…,
 *                   const double* array, T* out)
 *     x has before·length·after elements in C order, and its vectors lie along the middle axis.
 *     The rows of a matrix are (height, width, 1), its columns (1, height, width), one vector is
 *     (1, n, 1).
 *   f32_offsets, f64_offsets: int f(const T* x, int64_t n, const int64_t* offsets, int64_t count,
 *                                   double parameter…, const double* weights, T* out)
 *     Vector v is elements offsets[v] … offsets[v + 1] of n; count + 1 offsets do not decrease and
 *     go from 0 to n.
 *   f32_labels, f64_labels: int f(const T* x, int64_t n, const int64_t* labels, int64_t count,
 *                                 double parameter…, const double* weights, T* out)
 *     Vector v is the elements with label v, which is below count. Those with a negative label are
 *     in no group.
 *
 * In bridle_function they are called group_soft_threshold_f32, group_soft_threshold_offsets_f32,
 * group_soft_threshold_labels_f32. Parameters that count (k, n, m) are whole numbers. `array` is
 * that of array_name: for an operator of groups, a weight >= 0 for each vector, or null for 1; for
 * others, one number for each element of a vector, which is not null; null if there is none. out is
 * x, or shares no memory with x, `array`, offsets and labels. The result is 2, with nothing
 * written, if there is no memory for what a call needs beside its arrays. */

/* The operator of that name; null if there is none, or no name. Every elementwise operator,
 * penalty, operator of slices and update is found here, also those that have no member of the
 * table. What their parameters may be is said in the documentation of the Python function of that
 * name. */
BRIDLE_API const struct bridle_operator* bridle_find(const char* name);

/* The names that bridle_function knows, from index 0 on; null for every other index. */
BRIDLE_API const char* bridle_function_name(int index);

/* The number of threads that a call on a large array uses. To set it: n between 1 and 65535, else
 * the result is not 0 and nothing has changed. */
BRIDLE_API int bridle_get_num_threads(void);
BRIDLE_API int bridle_set_num_threads(int n);

/* Calls body(context, begin, end) for ranges that partition [0, size), by as many threads at a time
 * as there are and get minimum elements each. Inner bounds are multiples of grain; a range may be
 * as short as a quarter of minimum, and a thread may get several; 0 is 1 for either. Without
 * elements, or with no body, nothing is called. Returns when all are done. body must not throw. The
 * floating-point environment is the default one meanwhile, and afterwards the caller's again. */
BRIDLE_API void bridle_parallel_for(size_t size, size_t grain, size_t minimum,
                                    void (*body)(const void* context, size_t begin, size_t end),
                                    const void* context);

#ifdef __cplusplus
}
#endif

#endif
