# cython: boundscheck=False, wraparound=False
# A proximal gradient step in Cython that calls bridle's C functions, without the GIL. Nothing is
# linked: the table of functions comes out of the capsule.
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint32_t

import bridle


cdef extern from "bridle/c_api.h":
    const uint32_t BRIDLE_C_API_VERSION
    const char* BRIDLE_C_API_CAPSULE

    ctypedef struct bridle_c_api "const struct bridle_c_api":
        uint32_t version
        uint32_t size
        int (*soft_threshold_f32)(const float* x, float threshold, float* out,
                                  int64_t n) noexcept nogil
        int (*l1_penalty_f32)(const float* w, double strength, int64_t n,
                              double* result) noexcept nogil


cdef bridle_c_api* api = <bridle_c_api*>PyCapsule_GetPointer(bridle.c_api(), BRIDLE_C_API_CAPSULE)
if api.version != BRIDLE_C_API_VERSION or api.size < sizeof(api[0]):
    raise ImportError("this kernel was built for another version of bridle")


def proximal_step(float[::1] w, const float[::1] gradient, float rate, float strength):
    """w <- soft_threshold(w - rate * gradient, rate * strength); returns strength * sum(abs(w))."""
    cdef Py_ssize_t i, size = w.shape[0]
    cdef double penalty = 0.0
    cdef int failed = 0
    if gradient.shape[0] != size:
        raise ValueError(f"gradient must have {size} elements, got {gradient.shape[0]}")
    if not (rate >= 0 and strength >= 0):
        raise ValueError(f"rate and strength must be >= 0, got {rate} and {strength}")
    if size == 0:
        return 0.0
    with nogil:
        for i in range(size):
            w[i] -= rate * gradient[i]
        failed = api.soft_threshold_f32(&w[0], rate * strength, &w[0], size)
        if failed == 0:
            failed = api.l1_penalty_f32(&w[0], strength, size, &penalty)
    if failed:
        raise ValueError(f"not allowed: rate {rate}, strength {strength}")
    return penalty
