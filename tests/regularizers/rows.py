"""One row per regularizer: its class, its functions, and whether it is convex."""

from dataclasses import dataclass

import numpy as np

import bridle as br

from ..cases import ELEMENTWISE, PENALTIES


@dataclass(frozen=True)
class Row:
    """A regularizer of each element, told by the functions that it must agree with."""

    cls: type
    prox: str
    penalty: str | None
    is_convex: bool

    @property
    def name(self):
        return self.cls.__name__

    @property
    def parameters(self):
        """The row of `cases.py` that has the parameters of the class."""
        return PENALTIES[self.penalty] if self.penalty else ELEMENTWISE[self.prox]

    @property
    def sample(self):
        return self.parameters.sample_params

    def spread(self, size, dtype):
        """Return parameters that differ from element to element."""
        return {name: self.parameters.spread(name, size, dtype) for name in self.sample}

    def make(self, **params):
        return self.cls(**(self.sample | params))

    def arguments(self, params, step):
        """Return what the function of the prox takes beside the weights."""
        named = params | {"step": step}
        return {name: named[name] for name in ELEMENTWISE[self.prox].params}

    def expected_prox(self, w, params, step, **keywords):
        return getattr(br, self.prox)(w, **self.arguments(params, step), **keywords)

    def expected_value(self, w, params):
        if self.penalty:
            return getattr(br, self.penalty)(w, **params)
        if np.isnan(w).any():
            return np.nan
        return 0.0 if (self.expected_prox(w, params, 1.0) == w).all() else np.inf


@dataclass(frozen=True)
class Lasso(Row):
    """Soft thresholding, step times strength being rounded in the type that computes."""

    def arguments(self, params, step):
        return {"strength": params["strength"], "step": step}

    def expected_prox(self, w, params, step, **keywords):
        compute = np.float64 if w.dtype == np.float64 else np.float32
        threshold = np.multiply(step, params["strength"], dtype=compute)
        return br.soft_threshold(w, threshold, **keywords)


ROWS = {
    row.name: row
    for row in (
        Lasso(br.L1, "soft_threshold", "l1_penalty", True),
        Row(br.L2, "prox_l2", "l2_penalty", True),
        Row(br.ElasticNet, "prox_elastic_net", "elastic_net_penalty", True),
        Row(br.L0, "prox_l0", "l0_penalty", False),
        Row(br.LHalf, "prox_l_half", "l_half_penalty", False),
        Row(br.LTwoThirds, "prox_l_two_thirds", "l_two_thirds_penalty", False),
        Row(br.LogSum, "prox_log_sum", "log_sum_penalty", False),
        Row(br.MCP, "prox_mcp", "mcp_penalty", False),
        Row(br.SCAD, "prox_scad", "scad_penalty", False),
        Row(br.Huber, "prox_huber", "huber_penalty", True),
        Row(br.L2SP, "prox_l2_sp", "l2_sp_penalty", True),
        Row(br.NonNegativeL1, "prox_nonnegative_l1", "nonnegative_l1_penalty", True),
        Row(br.NonNegativeL2, "prox_nonnegative_l2", "nonnegative_l2_penalty", True),
        Row(br.NonNegative, "project_nonnegative", None, True),
        Row(br.Box, "project_box", None, True),
    )
}
