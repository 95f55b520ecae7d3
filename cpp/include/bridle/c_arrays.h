/* Whole models in C: lists of arrays of any types in one call, which c_api.h has as members of its
 * table. All arrays of a call are shared out to the threads as if they were one.
 *
 *   struct bridle_norm norm = BRIDLE_NORM_INIT;
 *   struct bridle_update update = BRIDLE_UPDATE_INIT;
 *   api->global_norm(gradients, count, 1.0, &norm);
 *   api->clip_scale(&norm, 1.0, &regularization.grad_scale);
 *   update.name = "adamw_update"; …
 *   if (api->update(&update, &summary) != 0) puts(api->last_error());
 *
 * The result is 0; 1, with nothing written, if something is not allowed; 2 if there is no memory
 * for what a long list needs beside its arrays. What was not allowed, last_error() says in the
 * words of the Python functions. Arrays that are written share no memory with any others of the
 * call. */
#ifndef BRIDLE_C_ARRAYS_H
#define BRIDLE_C_ARRAYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Types of elements. */
enum bridle_dtype {
  BRIDLE_FLOAT16 = 0,
  BRIDLE_BFLOAT16 = 1,
  BRIDLE_FLOAT32 = 2,
  BRIDLE_FLOAT64 = 3
};

/* An array: `rows` rows of `length` elements that lie beside each other; row r begins r·stride
 * elements after `data`. What a function only reads may be const in truth. */
struct bridle_array {
  void* data;       /* aligned to the type; may be null if there are no elements */
  int64_t rows;     /* >= 0 */
  int64_t length;   /* >= 0 */
  int64_t stride;   /* >= 0, of what is written >= length */
  int32_t dtype;    /* one of enum bridle_dtype */
  int32_t reserved; /* 0 */
};

/* One of n elements beside each other. */
#define BRIDLE_ARRAY(data, dtype, n) {(data), 1, (n), (n), (dtype), 0}

/* Which random bits round: those of the elements with the indices offset, offset + 1, … of all
 * arrays that are written, one after the other. Each step needs a stream of its own. */
struct bridle_random_bits {
  uint64_t seed, stream, offset;
};

/* What the elements of a list have; since 0.1. It begins as the structures of c_api.h do. */
struct bridle_norm {
  uint32_t size;  /* sizeof(struct bridle_norm); it stays */
  int32_t finite; /* 1 if no element is infinite or NaN, else 0 */
  double l2;      /* √Σx² */
  double largest; /* max |x| */
};

#define BRIDLE_NORM_INIT {sizeof(struct bridle_norm), 0, 0.0, 0.0}

/* A regularizer of each element by itself, whose proximal operator follows the update of the
 * weights in the same pass. Parameters are as bridle_find tells; where one of the proximal operator
 * is called step, the step size of the element stands for it, whatever is given. */
struct bridle_regularizer {
  const char* prox;              /* an elementwise operator: "prox_mcp"; null: there is none */
  const double* prox_parameters; /* of it */
  const char* penalty;           /* what it costs: "mcp_penalty"; null: nothing */
  const double* penalty_parameters;
};

struct bridle_regularization;
struct bridle_update_summary;

/* A step of an optimizer for a list of arrays, and the lists of the arrays that go with them, each
 * of `count`; since 0.1. It begins as the structures of c_api.h do.
 *
 * Types: w any; gradient any but float64, which goes with w of float64 only; state float64 where w
 * is, else float32 or, with random_bits, bfloat16; toward that of w; copy_out, where w is float32,
 * any but float64. An update computes in float32, or in float64 where w is that, and rounds once.
 */
struct bridle_update {
  uint32_t size;                       /* sizeof(struct bridle_update) */
  int32_t reserved;                    /* 0 */
  const char* name;                    /* "adamw_update" */
  const double* numbers;               /* as bridle_find tells their names */
  int64_t count;                       /* >= 0 */
  const struct bridle_array* w;        /* read and written */
  const struct bridle_array* gradient; /* null for proximal_step */
  const struct bridle_array* state[3]; /* as bridle_find tells, read and written;
                                          null: there is none */
  const struct bridle_array* toward;   /* may be null: zero */
  const struct bridle_array* copy_out; /* gets the new weights; may be null */
  const double* lr;                    /* these, one for each array, stand for the … */
  const double* l1;                    /* … first of the numbers, and for those of … */
  const double* l2;                    /* … the regularization; may be null */
  const double* weight_decay;          /* … */
  const struct bridle_regularization* regularization; /* may be null: nothing */
  const struct bridle_regularizer* regularizer;       /* one for each array; may be null */
  const struct bridle_random_bits* random_bits;       /* null: to nearest; else halves that are
                                                         written are rounded at random */
};

#define BRIDLE_UPDATE_INIT \
  {sizeof(struct bridle_update), 0, 0, 0, 0, 0, 0, {0, 0, 0}, 0, 0, 0, 0, 0, 0, 0, 0, 0}

#ifdef __cplusplus
}
#endif

#endif
