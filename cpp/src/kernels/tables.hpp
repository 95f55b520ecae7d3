// What the units of one instruction set have for each other. Each is compiled once per instruction
// set, with BRIDLE_ISA naming the namespace; they are several so that processors share the work.
#pragma once

#include <bridle/config.hpp>

#include "kernels.hpp"

namespace bridle::inline BRIDLE_ISA {

extern const MapTable map_table;
extern const ReduceTable reduce_table;
extern const SliceTable slice_table;
extern const ThresholdTable threshold_table;
extern const VectorTable vector_table;
extern const SelectTable select_table;
extern const NoiseTable noise_table;
extern const UpdateTable update_table;
extern const ListTable list_table;

}  // namespace bridle::inline BRIDLE_ISA
