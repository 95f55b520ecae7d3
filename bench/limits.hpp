// What the memory of this machine allows, written independently of bridle. Each function splits its
// array among `threads` OpenMP threads; arrays need not be aligned.
#pragma once

#include <cstddef>

extern "C" {

// Reads every element once; the result says nothing.
float bench_limit_read(const float* x, std::size_t size, int threads);

// x[i] *= factor; on arrays beyond the caches with a prefetch where that is faster, which the first
// call finds out, scaling several times.
void bench_limit_scale(float* x, float factor, std::size_t size, int threads);

// out[i] = x[i] with stores that bypass the caches, where the instruction set has them.
void bench_limit_copy_streaming(const float* x, float* out, std::size_t size, int threads);

// What a step of Adam moves: reads four arrays and writes three of them. Prefetches as above.
void bench_limit_update(float* w, const float* gradient, float* m, float* v, std::size_t size,
                        int threads);

// out[i] = x[i] with ordinary stores: a plain loop, not memcpy.
void bench_limit_copy_loop(const float* x, float* out, std::size_t size, int threads);
}
