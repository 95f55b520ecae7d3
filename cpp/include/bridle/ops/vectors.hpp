// What there is to know of the operators that are given vectors as a whole, to sort them, to select
// or to look for a threshold: their parameters, and the array beside the elements of a vector that
// some have. What they do is in the library.
#pragma once

#include <bridle/param.hpp>

namespace bridle::inline BRIDLE_ISA::ops {

inline constexpr ArrayParam kStrengths{{"strengths", Rule::non_negative}, Together::not_increasing};
inline constexpr ArrayParam kNormal{{"normal", Rule::finite}, Together::not_all_zero};

struct prox_group_linf {
  static constexpr const char* name = "prox_group_linf";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
  static constexpr bool groups = true;
};

struct prox_linf_norm {
  static constexpr const char* name = "prox_linf_norm";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
};

struct prox_slope {
  static constexpr const char* name = "prox_slope";
  static constexpr auto params = parameters(Param{"step", Rule::non_negative});
  static constexpr ArrayParam beside = kStrengths;
};

struct prox_total_variation {
  static constexpr const char* name = "prox_total_variation";
  static constexpr auto params =
      parameters(Param{"strength", Rule::non_negative}, Param{"step", Rule::non_negative});
};

struct project_simplex {
  static constexpr const char* name = "project_simplex";
  static constexpr auto params = parameters(Param{"radius", Rule::non_negative_finite});
};

struct project_l1_ball {
  static constexpr const char* name = "project_l1_ball";
  static constexpr auto params = parameters(Param{"radius", Rule::non_negative});
};

struct project_weighted_l1_ball {
  static constexpr const char* name = "project_weighted_l1_ball";
  static constexpr auto params = parameters(Param{"radius", Rule::non_negative});
  static constexpr ArrayParam beside = {{"weights", Rule::non_negative_finite}};
};

struct project_linf_ball {
  static constexpr const char* name = "project_linf_ball";
  static constexpr auto params = parameters(Param{"radius", Rule::non_negative});
};

struct project_l0_ball {
  static constexpr const char* name = "project_l0_ball";
  static constexpr auto params = parameters(Param{"k", Rule::non_negative, true});
};

struct project_n_m {
  static constexpr const char* name = "project_n_m";
  static constexpr auto params =
      parameters(Param{"n", Rule::non_negative, true}, Param{"m", Rule::not_below_previous, true});
  static constexpr int divisor = 1;  // the place of m: the length of a vector is a multiple of it
};

struct project_halfspace {
  static constexpr const char* name = "project_halfspace";
  static constexpr auto params = parameters(Param{"offset", Rule::number});
  static constexpr ArrayParam beside = kNormal;
};

struct project_hyperplane {
  static constexpr const char* name = "project_hyperplane";
  static constexpr auto params = parameters(Param{"offset", Rule::finite});
  static constexpr ArrayParam beside = kNormal;
};

struct group_linf_penalty {
  static constexpr const char* name = "group_linf_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr bool groups = true;
  static constexpr bool measures = true;
};

struct linf_norm_penalty {
  static constexpr const char* name = "linf_norm_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr bool measures = true;
};

struct slope_penalty {
  static constexpr const char* name = "slope_penalty";
  static constexpr auto params = parameters();
  static constexpr ArrayParam beside = kStrengths;
  static constexpr bool measures = true;
};

struct total_variation_penalty {
  static constexpr const char* name = "total_variation_penalty";
  static constexpr auto params = parameters(Param{"strength", Rule::non_negative});
  static constexpr bool measures = true;
};

}  // namespace bridle::inline BRIDLE_ISA::ops
