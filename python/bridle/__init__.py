"""Regularization of large weight arrays for those who write their own training loops."""

from bridle import _call, _config, _core, _ufuncs  # noqa: F401 - _ufuncs is for pickle
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
from bridle._operators.concave import mcp_penalty, prox_mcp, prox_scad, scad_penalty
from bridle._operators.elementwise import (
    decay,
    elastic_net_gradient,
    prox_elastic_net,
    prox_l2,
    soft_threshold,
)
from bridle._operators.logarithm import log_sum_penalty, prox_log_sum
from bridle._operators.nonnegative import (
    nonnegative_l1_penalty,
    nonnegative_l2_penalty,
    prox_nonnegative_l1,
    prox_nonnegative_l2,
)
from bridle._operators.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from bridle._operators.powers import (
    l_half_penalty,
    l_two_thirds_penalty,
    prox_l_half,
    prox_l_two_thirds,
)
from bridle._operators.projections import project_box, project_nonnegative
from bridle._operators.quadratic import huber_penalty, l2_sp_penalty, prox_huber, prox_l2_sp
from bridle._operators.thresholds import firm_threshold, hard_threshold, l0_penalty, prox_l0
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
from bridle._updates.prepared import PreparedArrays, prepare

__version__ = _core.__version__
__all__ = [
    "Criterion",
    "Decision",
    "Dropout",
    "EarlyStopping",
    "GeneralizationLoss",
    "Plateau",
    "PreparedArrays",
    "ProgressQuotient",
    "StopReason",
    "UnimprovedStrips",
    "UpdateSummary",
    "adagrad_update",
    "adamw_update",
    "alpha_dropout",
    "apply_dropout_mask",
    "c_api",
    "c_api_address",
    "catch_up",
    "decay",
    "dropout",
    "dropout_inference",
    "dropout_mask",
    "elastic_net_gradient",
    "elastic_net_penalty",
    "firm_threshold",
    "ftrl_update",
    "gaussian_dropout",
    "gaussian_noise",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "hard_threshold",
    "huber_penalty",
    "l0_penalty",
    "l1_penalty",
    "l2_penalty",
    "l2_sp_penalty",
    "l_half_penalty",
    "l_two_thirds_penalty",
    "lion_update",
    "log_sum_penalty",
    "mcp_penalty",
    "nonnegative_l1_penalty",
    "nonnegative_l2_penalty",
    "prepare",
    "project_box",
    "project_nonnegative",
    "prox_elastic_net",
    "prox_huber",
    "prox_l0",
    "prox_l2",
    "prox_l2_sp",
    "prox_l_half",
    "prox_l_two_thirds",
    "prox_log_sum",
    "prox_mcp",
    "prox_nonnegative_l1",
    "prox_nonnegative_l2",
    "prox_scad",
    "proximal_step",
    "rmsprop_update",
    "scad_penalty",
    "set_num_threads",
    "sgd_update",
    "show_config",
    "soft_threshold",
]

_config.warn_of_environment()
_core.set_fallbacks(_call.elementwise, _call.penalty, _dropout_of_any)
