// What the memory of this machine allows, written independently of bridle. Each function splits its
// array among `threads` OpenMP threads; arrays need not be aligned. On arrays beyond the caches all
// but the last read ahead where that is faster here, which their first call finds out by several.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

// Reads every element once; the result says nothing.
float bench_limit_read(const float* x, std::size_t size, int threads);

// x[i] *= factor.
void bench_limit_scale(float* x, float factor, std::size_t size, int threads);

// out[i] = x[i] with stores that bypass the caches, where the instruction set has them.
void bench_limit_copy_streaming(const float* x, float* out, std::size_t size, int threads);

// What a step of Adam moves: reads four arrays and writes three of them.
void bench_limit_update(float* w, const float* gradient, float* m, float* v, std::size_t size,
                        int threads);

// The same with a gradient of bfloat16 and a copy of the weights in it, which is written with
// stores that bypass the caches: 28 bytes an element, and 20 with moments of bfloat16; whole lines
// only.
void bench_limit_update_mixed(float* w, const std::uint16_t* gradient, float* m, float* v,
                              std::uint16_t* copy, std::size_t size, int threads);
void bench_limit_update_halves(float* w, const std::uint16_t* gradient, std::uint16_t* m,
                               std::uint16_t* v, std::uint16_t* copy, std::size_t size,
                               int threads);

// The same for some rows of tables, of whole lines, and a gradient that has one row for each.
void bench_limit_update_rows(float* w, const float* gradient, float* m, float* v,
                             const std::int64_t* rows, std::size_t count, std::size_t columns,
                             int threads);

// out[i] = x[i] with ordinary stores: a plain loop, not memcpy.
void bench_limit_copy_loop(const float* x, float* out, std::size_t size, int threads);

// Reads every element of an array of bfloat16 and widens it to float.
float bench_limit_read_halves(const std::uint16_t* x, std::size_t size, int threads);

// total[i] += x[i], which is of bfloat16; whole lines only.
void bench_limit_add_halves(float* total, const std::uint16_t* x, std::size_t size, int threads);

// What conversions to and from bfloat16 move, with stores that bypass the caches; whole lines only.
void bench_limit_halve_streaming(const float* x, std::uint16_t* out, std::size_t size, int threads);
void bench_limit_double_streaming(const std::uint16_t* x, float* out, std::size_t size,
                                  int threads);
}
