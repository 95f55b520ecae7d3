/* The C header is C, and its functions do what it says. */
#include <bridle/c_api.h>
#include <fenv.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(int fulfilled, const char* what) {
  if (!fulfilled) {
    ++failures;
    printf("not so: %s\n", what);
  }
}
#define CHECK(condition) check(condition, #condition)

static void check_elementwise(const struct bridle_c_api* api) {
  const float x[4] = {-3.0f, -0.5f, 0.5f, 2.0f}, expected[4] = {-2.0f, 0.0f, 0.0f, 1.0f};
  float out[5] = {9.0f, 9.0f, 9.0f, 9.0f, 9.0f};
  CHECK(api->soft_threshold_f32(x, -0.5f, out, 4) != 0);
  CHECK(api->soft_threshold_f32(x, (float)NAN, out, 4) != 0);
  CHECK(api->soft_threshold_f32(x, 1.0f, out, -1) != 0);
  CHECK(api->soft_threshold_f32(NULL, 1.0f, out, 4) != 0);
  CHECK(api->soft_threshold_f32(x, 1.0f, NULL, 4) != 0);
  CHECK(api->soft_threshold_f32(out, 1.0f, out + 1, 4) != 0);
  CHECK(api->soft_threshold_f32(out + 1, 1.0f, out, 4) != 0);
  CHECK(api->soft_threshold_f32(x, 1.0f, (float*)(void*)((char*)out + 1), 2) != 0);
  CHECK(out[0] == 9.0f && memcmp(out, out + 1, sizeof x) == 0);
  CHECK(api->soft_threshold_f32(NULL, 1.0f, NULL, 0) == 0);
  CHECK(api->soft_threshold_f32(x, 1.0f, out, 4) == 0);
  CHECK(memcmp(out, expected, sizeof expected) == 0 && out[4] == 9.0f);
}

static void check_penalties(const struct bridle_c_api* api) {
  const double w[3] = {-1.0, 2.0, 3.0};
  double result = 9.0;
  CHECK(api->l1_penalty_f64(w, -1.0, 3, &result) != 0);
  CHECK(api->l1_penalty_f64(w, 1.0, -3, &result) != 0);
  CHECK(api->l1_penalty_f64(NULL, 1.0, 3, &result) != 0);
  CHECK(api->l1_penalty_f64(w, 1.0, 3, NULL) != 0);
  CHECK(result == 9.0);
  CHECK(api->elastic_net_penalty_f64(w, 2.0, 0.5, 3, &result) == 0 && result == 19.0);
  CHECK(api->l2_penalty_f64(NULL, 1.0, 0, &result) == 0 && result == 0.0);
  feclearexcept(FE_ALL_EXCEPT);
  CHECK(api->l1_penalty_f64(w, 1e308, 3, &result) == 0 && isinf(result));
  CHECK(!fetestexcept(FE_ALL_EXCEPT));
}

static void check_dropout(const struct bridle_c_api* api) {
  const float x[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  float out[4] = {9.0f, 9.0f, 9.0f, 9.0f};
  uint8_t keep[5] = {9, 9, 9, 9, 9};
  int i;
  CHECK(api->dropout_f32(x, 1.5, 1, 0, 0, out, 4) != 0);
  CHECK(api->dropout_f32(x, 0.5, 1, 0, UINT64_MAX, out, 4) != 0);
  CHECK(api->dropout_mask(NAN, 1, 0, 0, keep, 4) != 0);
  CHECK(out[0] == 9.0f && keep[0] == 9);
  feclearexcept(FE_ALL_EXCEPT);
  CHECK(api->dropout_f32(x, 0.3, 1, 2, 3, out, 4) == 0);
  CHECK(api->dropout_mask(0.3, 1, 2, 3, keep, 4) == 0 && keep[4] == 9);
  CHECK(!fetestexcept(FE_ALL_EXCEPT));
  for (i = 0; i < 4; ++i) CHECK((out[i] > x[i]) == keep[i] && (out[i] == 0.0f) == !keep[i]);
}

static void check_updates(const struct bridle_c_api* api) {
  struct bridle_regularization regularization = BRIDLE_REGULARIZATION_INIT;
  struct bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  double w[3] = {1.0, -0.05, 0.5}, gradient[3] = {1.0, 0.0, 0.0}, m[3] = {0.0}, v[3] = {0.0};
  CHECK(api->proximal_step_f64(w, 0.1, &regularization, NULL, 3, NULL) == 0 && w[1] == -0.05);
  regularization.weight_decay = 11.0;
  CHECK(api->proximal_step_f64(w, 0.1, &regularization, NULL, 3, &summary) != 0);
  CHECK(summary.nonzeros == 0 && w[1] == -0.05);
  CHECK(strstr(api->last_error(), "proximal_step: step * weight_decay must be ") != NULL);
  regularization.weight_decay = 0.0;
  regularization.l1 = 1.0;
  CHECK(api->proximal_step_f64(w, 0.1, &regularization, NULL, 3, &summary) == 0);
  CHECK(w[0] == 0.9 && w[1] == 0.0 && w[2] == 0.4);
  CHECK(summary.penalty == 1.3 && summary.nonzeros == 2 && summary.finite == 1);
  CHECK(summary.size == sizeof summary);
  CHECK(api->sgd_update_f64(w, gradient, NULL, 0.5, 0.0, 0, NULL, NULL, 3, NULL) == 0);
  CHECK(w[0] == 0.4 && w[2] == 0.4);
  feclearexcept(FE_ALL_EXCEPT);
  CHECK(api->adamw_update_f64(w, gradient, m, v, 0.1, 7, 0.9, 0.999, 1e-8, NULL, NULL, 3, NULL) ==
        0);
  CHECK(!fetestexcept(FE_ALL_EXCEPT));
  CHECK(w[0] < 0.4 && w[2] == 0.4 && m[0] > 0.0 && v[0] > 0.0);
}

static void check_lists(const struct bridle_c_api* api) {
  const double numbers[5] = {0.5, 1.0, 0.9, 0.999, 1e-8};
  float w[2] = {1.0f, -2.0f}, m[2] = {0.0f}, v[2] = {0.0f};
  const uint16_t one[2] = {0x3f80, 0x3f80}; /* 1.0 as bfloat16 */
  uint16_t copy[2] = {0};
  const struct bridle_array gradient = BRIDLE_ARRAY((void*)one, BRIDLE_BFLOAT16, 2);
  const struct bridle_array lists[3] = {BRIDLE_ARRAY(w, BRIDLE_FLOAT32, 2),
                                        BRIDLE_ARRAY(m, BRIDLE_FLOAT32, 2),
                                        BRIDLE_ARRAY(v, BRIDLE_FLOAT32, 2)};
  const struct bridle_array copy_out = BRIDLE_ARRAY(copy, BRIDLE_BFLOAT16, 2);
  struct bridle_regularization regularization = BRIDLE_REGULARIZATION_INIT;
  struct bridle_norm norm = BRIDLE_NORM_INIT;
  struct bridle_update update = BRIDLE_UPDATE_INIT;
  struct bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  CHECK(api->global_norm(&gradient, 1, 1.0, &norm) == 0 && norm.largest == 1.0 && norm.finite);
  CHECK(api->clip_scale(&norm, 0.5 * norm.l2, &regularization.grad_scale) == 0);
  CHECK(regularization.grad_scale == 0.5);
  update.name = "adamw_update";
  update.numbers = numbers;
  update.count = 1;
  update.w = &lists[0];
  update.gradient = &gradient;
  update.state[0] = &lists[1];
  CHECK(api->update(&update, &summary) == 1 && summary.nonzeros == 0);
  CHECK(strcmp(api->last_error(), "adamw_update: second_moment must be given, got null") == 0);
  update.state[1] = &lists[2];
  update.copy_out = &copy_out;
  update.regularization = &regularization;
  CHECK(api->update(&update, &summary) == 0 && summary.nonzeros == 2 && summary.finite == 1);
  CHECK(w[0] == 0.5f && copy[0] == 0x3f00 && w[1] == -2.5f && copy[1] == 0xc020);
  CHECK(m[0] == 0.05f);
  CHECK(api->accumulate(&lists[1], &gradient, 1, 2.0) == 0 && m[1] == 2.05f);
  CHECK(api->average_update(&lists[0], &gradient, 1, 0.0) == 0 && w[0] == 1.0f && w[1] == 1.0f);
  CHECK(api->cast(&lists[0], &copy_out, 1, NULL) == 0 && copy[1] == 0x3f80);
}

static void check_names(const struct bridle_c_api* api) {
  int count = 0;
  while (bridle_function_name(count)) {
    CHECK(bridle_function(bridle_function_name(count)) != NULL);
    ++count;
  }
  CHECK(bridle_function_name(-1) == NULL && bridle_function_name(count) == NULL);
  CHECK(bridle_function_name(INT_MAX) == NULL && bridle_function_name(INT_MIN) == NULL);
  CHECK(bridle_function(NULL) == NULL);
  CHECK(bridle_function("") == NULL && bridle_function("nothing") == NULL);
  CHECK(bridle_function("decay_f64") == (bridle_any_function)api->decay_f64);
  CHECK(bridle_function("l2_penalty_f32") == (bridle_any_function)api->l2_penalty_f32);
  /* No member was left out. */
  CHECK(sizeof *api <= 2 * sizeof(uint32_t) + (size_t)count * sizeof(bridle_any_function));
  CHECK(api->elastic_net_penalty_f64 != NULL && api->ftrl_update_f64 != NULL);
  CHECK(bridle_function("dropout_mask") == (bridle_any_function)api->dropout_mask);
  CHECK(bridle_function("lion_update_f32") == (bridle_any_function)api->lion_update_f32);
}

static void check_find(const struct bridle_c_api* api) {
  const struct bridle_operator* const decay = bridle_find("decay");
  const struct bridle_operator* const penalty = bridle_find("elastic_net_penalty");
  float x[2] = {1.0f, -2.0f};
  CHECK(bridle_find(NULL) == NULL && bridle_find("") == NULL && bridle_find("decay_f32") == NULL);
  CHECK(bridle_find("dropout") == NULL && bridle_find("update") == NULL);
  CHECK(decay->size == sizeof *decay && decay->kind == BRIDLE_ELEMENTWISE);
  CHECK(strcmp(decay->name, "decay") == 0 && decay->parameter_count == 1);
  CHECK(strcmp(decay->parameter_names[0], "rate") == 0 && decay->parameter_names[1] == NULL);
  CHECK(decay->f32 == (bridle_any_function)api->decay_f32);
  CHECK(((int (*)(const float*, float, float*, int64_t))decay->f32)(x, 0.5f, x, 2) == 0);
  CHECK(x[0] == 0.5f && x[1] == -1.0f);
  CHECK(penalty->kind == BRIDLE_PENALTY && penalty->parameter_count == 2);
  CHECK(strcmp(penalty->parameter_names[1], "l2") == 0 && penalty->parameter_names[2] == NULL);
  CHECK(penalty->f64 == (bridle_any_function)api->elastic_net_penalty_f64);
}

static void check_slices(void) {
  typedef int (*along)(const float*, int64_t, int64_t, int64_t, double, const double*, float*);
  typedef int (*by_places)(const float*, int64_t, const int64_t*, int64_t, double, const double*,
                           float*);
  typedef int (*penalty)(const double*, int64_t, int64_t, int64_t, double, const double*, double*);
  const struct bridle_operator* const shrink = bridle_find("group_soft_threshold");
  const struct bridle_operator* const slope = bridle_find("prox_slope");
  const struct bridle_operator* const norm = bridle_find("l2_norm_penalty");
  const float x[4] = {3.0f, 4.0f, 0.3f, 0.4f}, zeros[4] = {0.0f};
  const double w[4] = {3.0, 0.0, 4.0, -2.0}, weights[2] = {5.0, 0.0}, strengths[2] = {1.0, 0.5};
  const int64_t offsets[3] = {0, 2, 4}, labels[4] = {1, 0, 1, -1};
  float out[4] = {9.0f, 9.0f, 9.0f, 9.0f};
  double result = 9.0;
  CHECK(shrink->kind == BRIDLE_SLICES && norm->kind == BRIDLE_SLICE_PENALTY);
  CHECK(strcmp(shrink->array_name, "weights") == 0 && strcmp(slope->array_name, "strengths") == 0);
  CHECK(norm->array_name == NULL && norm->f32_offsets == NULL && slope->f64_labels == NULL);
  CHECK(bridle_find("decay")->array_name == NULL && bridle_find("decay")->f32_labels == NULL);
  CHECK(bridle_function("group_soft_threshold_labels_f64") == shrink->f64_labels);
  CHECK(((along)shrink->f32)(x, 2, 2, 1, -1.0, NULL, out) == 1);
  CHECK(((along)slope->f32)(x, 2, 2, 1, 1.0, NULL, out) == 1 && out[0] == 9.0f);
  feclearexcept(FE_ALL_EXCEPT);
  CHECK(((along)shrink->f32)(x, 2, 2, 1, 1.0, NULL, out) == 0); /* rows */
  CHECK(out[0] < 2.5f && out[1] > 3.1f && out[2] == 0.0f && out[3] == 0.0f);
  CHECK(((along)shrink->f32)(x, 1, 2, 2, 1.0, weights, out) == 0); /* columns */
  CHECK(out[0] == 0.0f && out[1] == 4.0f && out[2] == 0.0f && out[3] == 0.4f);
  CHECK(((by_places)shrink->f32_offsets)(x, 4, offsets, 2, 9.0, NULL, out) == 0);
  CHECK(memcmp(out, zeros, sizeof out) == 0);
  CHECK(((by_places)shrink->f32_labels)(x, 4, labels, 2, 9.0, NULL, out) == 0);
  CHECK(out[0] == 0.0f && out[1] == 0.0f && out[2] == 0.0f && out[3] == 0.4f);
  CHECK(((along)slope->f32)(x, 2, 2, 1, 1.0, strengths, out) == 0);
  CHECK(out[0] == 2.5f && out[1] == 3.0f && out[2] == 0.0f && out[3] == 0.0f);
  CHECK(((penalty)norm->f64)(w, 1, 2, 2, 2.0, NULL, &result) == 0 && result == 14.0);
  CHECK(!fetestexcept(FE_ALL_EXCEPT));
}

static void count_ranges(const void* context, size_t begin, size_t end) {
  size_t* const visited = *(size_t* const*)context;
  CHECK(begin < end);
  visited[0] += end - begin; /* few elements: one thread */
  ++visited[1];
}

static void check_parallel_for(void) {
  size_t visited[2] = {0, 0}, sum = 0;
  size_t* const context = visited;
  size_t grain, minimum;
  bridle_parallel_for(0, 1, 1, count_ranges, &context);
  bridle_parallel_for(0, 0, 0, count_ranges, &context);
  bridle_parallel_for(5, 1, 1, NULL, &context);
  CHECK(visited[1] == 0);
  bridle_set_num_threads(1);
  for (grain = 0; grain < 3; ++grain) {
    for (minimum = 0; minimum < 3; ++minimum) {
      bridle_parallel_for(5, grain, minimum, count_ranges, &context);
      CHECK(visited[0] == (sum += 5));
    }
  }
  bridle_parallel_for(5, SIZE_MAX, SIZE_MAX, count_ranges, &context);
  CHECK(visited[0] == sum + 5);
}

int main(void) {
  const struct bridle_c_api* const api = bridle_get_c_api();
  CHECK(api->version == BRIDLE_C_API_VERSION);
  CHECK(api->size == sizeof *api);
  check_elementwise(api);
  check_penalties(api);
  check_dropout(api);
  check_updates(api);
  check_lists(api);
  check_names(api);
  check_find(api);
  check_slices();
  check_parallel_for();
  CHECK(bridle_set_num_threads(0) != 0 && bridle_set_num_threads(2) == 0);
  CHECK(bridle_get_num_threads() == 2);
  return failures != 0;
}
