/* The operators as plain C functions, for any language that can call one.
 *
 * Every function works on arrays of n elements of float (_f32) or double (_f64), on as many threads
 * as the size is worth, and gives the bits that the Python and C++ functions of that name give. It
 * may be called from any thread, needs no lock (of Python, say), allocates nothing and throws
 * nothing. Several calls may read one array at a time; nobody else may touch an array that a call
 * writes.
 *
 * The result is 0, or, with nothing written, another number if an argument is not allowed: n is
 * negative, a pointer is null though n > 0 (that of a penalty's result: always) or not aligned to
 * its type, a parameter is NaN or outside the range given below, or out overlaps x without being x.
 *
 * In Python, bridle.c_api() gives a capsule with the whole table, bridle.c_api_address(name) the
 * address of one function. Programs that link the library call bridle_get_c_api() or
 * bridle_function(). */
#ifndef BRIDLE_C_API_H
#define BRIDLE_C_API_H

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

/* Members are only ever added, at the end: whoever finds the right version and at least the size
 * that it was compiled with may use every member that it knows. */
struct bridle_c_api {
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
};

/* The table, which lasts as long as the process. */
BRIDLE_API const struct bridle_c_api* bridle_get_c_api(void);

/* The function of that name, "soft_threshold_f32" for example, to be converted to its type; null if
 * there is none. */
typedef void (*bridle_any_function)(void);
BRIDLE_API bridle_any_function bridle_function(const char* name);

/* The names that bridle_function knows, from index 0 on; null after the last one. */
BRIDLE_API const char* bridle_function_name(int index);

/* The number of threads that a call on a large array uses. To set it: n between 1 and 65535, else
 * the result is not 0 and nothing has changed. */
BRIDLE_API int bridle_get_num_threads(void);
BRIDLE_API int bridle_set_num_threads(int n);

/* Calls body(context, begin, end) for ranges that partition [0, size), each on a thread of its own;
 * inner bounds are multiples of grain > 0, and no thread gets less than minimum > 0 elements.
 * Returns when all are done. body must not throw. The floating-point environment is the default one
 * meanwhile, and afterwards the caller's again. */
BRIDLE_API void bridle_parallel_for(size_t size, size_t grain, size_t minimum,
                                    void (*body)(const void* context, size_t begin, size_t end),
                                    const void* context);

#ifdef __cplusplus
}
#endif

#endif
