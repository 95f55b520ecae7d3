// The regularizers of an update as C hands them over.
#pragma once

#include <bridle/c_api.h>

#include <optional>
#include <string>

#include "drivers/core.hpp"

namespace bridle::c {

// None if there is none; throws what is wrong with it, which is called so. Its numbers stay where
// they are.
std::optional<UpdateRegularizer> regularizer_of(const char* function, const std::string& name,
                                                const bridle_regularizer& given);

}  // namespace bridle::c
