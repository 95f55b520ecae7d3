"""Regularization of large weight arrays for those who write their own training loops.

Plain functions of plain arrays, by families; ``help(bridle.soft_threshold)`` tells of one. What
ends in ``_penalty`` is what weights cost; ``prox_…`` and ``…_threshold`` shrink them, ``project_…``
moves them to the nearest point of a set.

Each element by itself
    soft_threshold, hard_threshold, firm_threshold, prox_elastic_net, prox_l2, prox_l2_sp,
    prox_huber, prox_l0, prox_l_half, prox_l_two_thirds, prox_log_sum, prox_mcp, prox_scad,
    prox_nonnegative_l1, prox_nonnegative_l2, project_box, project_nonnegative, decay,
    elastic_net_gradient
Penalties of each element
    l0_penalty, l1_penalty, l2_penalty, elastic_net_penalty, l2_sp_penalty, huber_penalty,
    l_half_penalty, l_two_thirds_penalty, log_sum_penalty, mcp_penalty, scad_penalty,
    nonnegative_l1_penalty, nonnegative_l2_penalty
Groups
    group_soft_threshold, prox_sparse_group, prox_group_linf, prox_group_mcp, prox_group_scad,
    group_l2_penalty, sparse_group_penalty, group_linf_penalty, group_mcp_penalty,
    group_scad_penalty
Vectors
    prox_l2_norm, prox_linf_norm, prox_slope, prox_total_variation, l2_norm_penalty,
    linf_norm_penalty, slope_penalty, total_variation_penalty
Matrices
    prox_nuclear, nuclear_penalty, orthogonal_penalty, orthogonal_gradient
Projections
    project_simplex, project_l1_ball, project_weighted_l1_ball, project_l2_ball, project_linf_ball,
    project_halfspace, project_hyperplane
Pruning by magnitude
    project_l0_ball, project_n_m, top_k_threshold
Constraints on norms
    max_norm, unit_norm, min_max_norm
Regularizers as objects
    L1, L2, ElasticNet, L0, LHalf, LTwoThirds, LogSum, MCP, SCAD, Huber, L2SP, NonNegativeL1,
    NonNegativeL2, NonNegative, Box, GroupL2, SparseGroup, GroupLinf, GroupMCP, GroupSCAD, L2Norm,
    LinfNorm, Slope, TotalVariation, Nuclear, Simplex, L1Ball, L2Ball, LinfBall, L0Ball, Regularizer
Regularizers made of others
    Scaled, Sum, SeparableSum, Translated, MoreauEnvelope, Conjugate
Pictures of regularizers
    plot_regularizer
Solvers
    fista, proximal_gradient, FistaResult
Dropout
    dropout, dropout_mask, apply_dropout_mask, dropout_inference, alpha_dropout, gaussian_dropout,
    gaussian_noise, Dropout
Updates of optimizers
    proximal_step, sgd_update, adamw_update, adagrad_update, rmsprop_update, lion_update,
    ftrl_update, catch_up, prepare, PreparedArrays, UpdateSummary
Optimizers and checkpoints
    SGD, AdamW, Adagrad, RMSprop, Lion, FTRL, save_checkpoint, load_checkpoint
Whole models in one pass
    global_norm, GlobalNorm, clip_by_global_norm, accumulate, average_update, cast
Early stopping
    EarlyStopping, Decision, StopReason, Criterion, GeneralizationLoss, Plateau, ProgressQuotient,
    UnimprovedStrips
Threads, version, other languages
    set_num_threads, get_num_threads, show_config, get_include, get_cmake_dir, c_api, c_api_address
"""

from bridle import _call, _config, _core, _ufuncs  # noqa: F401 - _ufuncs is for pickle
from bridle._arrays import PreparedArrays, prepare
from bridle._config import get_num_threads, set_num_threads, show_config
from bridle._dropout.functions import (
    apply_dropout_mask,
    dropout,
    dropout_inference,
    dropout_mask,
)
from bridle._dropout.functions import dropout_of_any as _dropout_of_any
from bridle._dropout.layer import Dropout
from bridle._dropout.variants import alpha_dropout, gaussian_dropout, gaussian_noise
from bridle._embedding import c_api, c_api_address, get_cmake_dir, get_include
from bridle._models.averages import accumulate, average_update
from bridle._models.casts import cast
from bridle._models.checkpoint import load_checkpoint, save_checkpoint
from bridle._models.norms import GlobalNorm, clip_by_global_norm, global_norm
from bridle._operators.balls import (
    project_l1_ball,
    project_l2_ball,
    project_linf_ball,
    project_simplex,
    project_weighted_l1_ball,
)
from bridle._operators.concave import mcp_penalty, prox_mcp, prox_scad, scad_penalty
from bridle._operators.constraints import (
    max_norm,
    min_max_norm,
    unit_norm,
)
from bridle._operators.elementwise import (
    decay,
    elastic_net_gradient,
    prox_elastic_net,
    prox_l2,
    soft_threshold,
)
from bridle._operators.groups import (
    group_l2_penalty,
    group_linf_penalty,
    group_mcp_penalty,
    group_scad_penalty,
    group_soft_threshold,
    prox_group_linf,
    prox_group_mcp,
    prox_group_scad,
    prox_sparse_group,
    sparse_group_penalty,
)
from bridle._operators.halfspaces import (
    project_halfspace,
    project_hyperplane,
)
from bridle._operators.logarithm import log_sum_penalty, prox_log_sum
from bridle._operators.matrices import (
    nuclear_penalty,
    orthogonal_gradient,
    orthogonal_penalty,
    prox_nuclear,
)
from bridle._operators.nonnegative import (
    nonnegative_l1_penalty,
    nonnegative_l2_penalty,
    prox_nonnegative_l1,
    prox_nonnegative_l2,
)
from bridle._operators.norms import (
    l2_norm_penalty,
    linf_norm_penalty,
    prox_l2_norm,
    prox_linf_norm,
    prox_slope,
    prox_total_variation,
    slope_penalty,
    total_variation_penalty,
)
from bridle._operators.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from bridle._operators.penalties import penalty_of_any as _penalty_of_any
from bridle._operators.powers import (
    l_half_penalty,
    l_two_thirds_penalty,
    prox_l_half,
    prox_l_two_thirds,
)
from bridle._operators.projections import project_box, project_nonnegative
from bridle._operators.quadratic import huber_penalty, l2_sp_penalty, prox_huber, prox_l2_sp
from bridle._operators.selection import (
    project_l0_ball,
    project_n_m,
    top_k_threshold,
)
from bridle._operators.thresholds import firm_threshold, hard_threshold, l0_penalty, prox_l0
from bridle._regularizers.base import Scaled, Sum
from bridle._regularizers.bounds import Box, NonNegative, NonNegativeL1, NonNegativeL2
from bridle._regularizers.concave import L0, MCP, SCAD, LHalf, LogSum, LTwoThirds
from bridle._regularizers.convex import L1, L2, L2SP, ElasticNet, Huber
from bridle._regularizers.groups import GroupL2, GroupLinf, GroupMCP, GroupSCAD, SparseGroup
from bridle._regularizers.matrices import Nuclear
from bridle._regularizers.picture import plot_regularizer
from bridle._regularizers.protocol import Regularizer
from bridle._regularizers.separable import SeparableSum
from bridle._regularizers.sets import L0Ball, L1Ball, L2Ball, LinfBall, Simplex
from bridle._regularizers.transforms import Conjugate, MoreauEnvelope, Translated
from bridle._regularizers.vectors import L2Norm, LinfNorm, Slope, TotalVariation
from bridle._solvers.functions import fista, proximal_gradient
from bridle._solvers.result import FistaResult
from bridle._stopping.criteria import (
    Criterion,
    GeneralizationLoss,
    Plateau,
    ProgressQuotient,
    UnimprovedStrips,
)
from bridle._stopping.judgement import Decision, StopReason
from bridle._stopping.tracker import EarlyStopping
from bridle._updates.call import UpdateSummary
from bridle._updates.catch_up import catch_up
from bridle._updates.functions import (
    adagrad_update,
    adamw_update,
    ftrl_update,
    lion_update,
    proximal_step,
    rmsprop_update,
    sgd_update,
)
from bridle._updates.optimizers import FTRL, SGD, Adagrad, AdamW, Lion, RMSprop

__version__ = _core.__version__
__all__ = [
    "FTRL",
    "L0",
    "L1",
    "L2",
    "L2SP",
    "MCP",
    "SCAD",
    "SGD",
    "Adagrad",
    "AdamW",
    "Box",
    "Conjugate",
    "Criterion",
    "Decision",
    "Dropout",
    "EarlyStopping",
    "ElasticNet",
    "FistaResult",
    "GeneralizationLoss",
    "GlobalNorm",
    "GroupL2",
    "GroupLinf",
    "GroupMCP",
    "GroupSCAD",
    "Huber",
    "L0Ball",
    "L1Ball",
    "L2Ball",
    "L2Norm",
    "LHalf",
    "LTwoThirds",
    "LinfBall",
    "LinfNorm",
    "Lion",
    "LogSum",
    "MoreauEnvelope",
    "NonNegative",
    "NonNegativeL1",
    "NonNegativeL2",
    "Nuclear",
    "Plateau",
    "PreparedArrays",
    "ProgressQuotient",
    "RMSprop",
    "Regularizer",
    "Scaled",
    "SeparableSum",
    "Simplex",
    "Slope",
    "SparseGroup",
    "StopReason",
    "Sum",
    "TotalVariation",
    "Translated",
    "UnimprovedStrips",
    "UpdateSummary",
    "accumulate",
    "adagrad_update",
    "adamw_update",
    "alpha_dropout",
    "apply_dropout_mask",
    "average_update",
    "c_api",
    "c_api_address",
    "cast",
    "catch_up",
    "clip_by_global_norm",
    "decay",
    "dropout",
    "dropout_inference",
    "dropout_mask",
    "elastic_net_gradient",
    "elastic_net_penalty",
    "firm_threshold",
    "fista",
    "ftrl_update",
    "gaussian_dropout",
    "gaussian_noise",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "global_norm",
    "group_l2_penalty",
    "group_linf_penalty",
    "group_mcp_penalty",
    "group_scad_penalty",
    "group_soft_threshold",
    "hard_threshold",
    "huber_penalty",
    "l0_penalty",
    "l1_penalty",
    "l2_norm_penalty",
    "l2_penalty",
    "l2_sp_penalty",
    "l_half_penalty",
    "l_two_thirds_penalty",
    "linf_norm_penalty",
    "lion_update",
    "load_checkpoint",
    "log_sum_penalty",
    "max_norm",
    "mcp_penalty",
    "min_max_norm",
    "nonnegative_l1_penalty",
    "nonnegative_l2_penalty",
    "nuclear_penalty",
    "orthogonal_gradient",
    "orthogonal_penalty",
    "plot_regularizer",
    "prepare",
    "project_box",
    "project_halfspace",
    "project_hyperplane",
    "project_l0_ball",
    "project_l1_ball",
    "project_l2_ball",
    "project_linf_ball",
    "project_n_m",
    "project_nonnegative",
    "project_simplex",
    "project_weighted_l1_ball",
    "prox_elastic_net",
    "prox_group_linf",
    "prox_group_mcp",
    "prox_group_scad",
    "prox_huber",
    "prox_l0",
    "prox_l2",
    "prox_l2_norm",
    "prox_l2_sp",
    "prox_l_half",
    "prox_l_two_thirds",
    "prox_linf_norm",
    "prox_log_sum",
    "prox_mcp",
    "prox_nonnegative_l1",
    "prox_nonnegative_l2",
    "prox_nuclear",
    "prox_scad",
    "prox_slope",
    "prox_sparse_group",
    "prox_total_variation",
    "proximal_gradient",
    "proximal_step",
    "rmsprop_update",
    "save_checkpoint",
    "scad_penalty",
    "set_num_threads",
    "sgd_update",
    "show_config",
    "slope_penalty",
    "soft_threshold",
    "sparse_group_penalty",
    "top_k_threshold",
    "total_variation_penalty",
    "unit_norm",
]

_config.warn_of_environment()
_core.set_fallbacks(_call.elementwise, _penalty_of_any, _dropout_of_any)
