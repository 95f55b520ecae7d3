// The instruction-set namespace: everything that holds arithmetic lives in it, so that the linker
// can never merge a function compiled for one instruction set with one compiled for another.
// The library names it itself. A program that includes these headers gets a name after the flags of
// the translation unit; one that mixes finer differences than these may define BRIDLE_ISA.
#pragma once

#ifndef BRIDLE_ISA
#if defined(__FAST_MATH__)
#define BRIDLE_ISA portable_fast_math
#elif defined(__AVX512F__)
#define BRIDLE_ISA portable_avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define BRIDLE_ISA portable_avx2
#elif defined(__AVX__)
#define BRIDLE_ISA portable_avx
#elif defined(__ARM_FEATURE_SVE)
#define BRIDLE_ISA portable_sve
#else
#define BRIDLE_ISA portable
#endif
#endif
