/* The C header is C, and its functions do what it says. */
#include <bridle/c_api.h>
#include <fenv.h>
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

static void check_names(const struct bridle_c_api* api) {
  int count = 0;
  while (bridle_function_name(count)) {
    CHECK(bridle_function(bridle_function_name(count)) != NULL);
    ++count;
  }
  CHECK(bridle_function_name(-1) == NULL);
  CHECK(bridle_function("nothing") == NULL);
  CHECK(bridle_function("decay_f64") == (bridle_any_function)api->decay_f64);
  CHECK(bridle_function("l2_penalty_f32") == (bridle_any_function)api->l2_penalty_f32);
  /* Every function of the list has its member, and no member was left out. */
  CHECK(sizeof *api == 2 * sizeof(uint32_t) + (size_t)count * sizeof(bridle_any_function));
  CHECK(api->elastic_net_penalty_f64 != NULL);
}

int main(void) {
  const struct bridle_c_api* const api = bridle_get_c_api();
  CHECK(api->version == BRIDLE_C_API_VERSION);
  CHECK(api->size == sizeof *api);
  check_elementwise(api);
  check_penalties(api);
  check_names(api);
  CHECK(bridle_set_num_threads(0) != 0 && bridle_set_num_threads(2) == 0);
  CHECK(bridle_get_num_threads() == 2);
  return failures != 0;
}
