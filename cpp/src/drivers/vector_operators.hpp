// Operators that are given whole vectors, and the bytes of scratch that they need: see
// SliceOperator.
#pragma once

#include <cstddef>

#include "slices.hpp"

namespace bridle::vectors {

double project_simplex(const WholeVector& vector);
double project_l1_ball(const WholeVector& vector);
double project_weighted_l1_ball(const WholeVector& vector);
double project_linf_ball(const WholeVector& vector);
double prox_linf_norm(const WholeVector& vector);
double prox_group_linf(const WholeVector& vector);
double linf_norm_penalty(const WholeVector& vector);
double group_linf_penalty(const WholeVector& vector);
std::size_t scratch_of_thresholds(DType dtype, std::size_t size);

double project_l0_ball(const WholeVector& vector);
double project_n_m(const WholeVector& vector);
std::size_t scratch_of_selection(DType dtype, std::size_t size);
bool has_no_nan(const WholeVector& vector);

double project_halfspace(const WholeVector& vector);
double project_hyperplane(const WholeVector& vector);

double prox_total_variation(const WholeVector& vector);
double total_variation_penalty(const WholeVector& vector);
double prox_slope(const WholeVector& vector);
double slope_penalty(const WholeVector& vector);
std::size_t scratch_of_variation(DType dtype, std::size_t size);
std::size_t scratch_of_slope(DType dtype, std::size_t size);
std::size_t scratch_of_slope_penalty(DType dtype, std::size_t size);

}  // namespace bridle::vectors
