// The instruction-set namespace: everything that holds arithmetic lives in it, so that the linker
// can never merge a function compiled for one instruction set with one compiled for another.
#pragma once

#ifndef BRIDLE_ISA
#define BRIDLE_ISA portable
#endif
