"""One row per operator of slices: its definition, sample parameters, what is true of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import slice_definitions as defined
from .cases import (
    ABOVE_TWO,
    DTYPES,
    FRACTION,
    INF,
    NAN,
    NON_NEGATIVE,
    NUMBER,
    POSITIVE,
    Domain,
    Operator,
)

FINITE = Domain("finite", good=(-1.0, -0.3, -0.0, 0.3, 2.0), bad=(NAN, INF, -INF))
NON_NEGATIVE_FINITE = Domain(
    ">= 0 and finite", good=NON_NEGATIVE.good[:-1], bad=(*NON_NEGATIVE.bad, INF)
)
COUNT = Domain(">= 0", good=(0, 1, 2, 1000), bad=(-1, -(2**63)))
# What is too small for the parameter before it stands in tests of its own.
NOT_BELOW_N = Domain(">= n", good=(2, 4), bad=())
NOT_BELOW_MINIMUM = Domain(">= min_value", good=(0.3, 0.45, 2.0, INF), bad=(NAN,))


@dataclass(frozen=True)
class Beside:
    """What lies beside the elements of a vector: its name, one for a length, and bad ones."""

    name: str
    make: Callable[[int], np.ndarray]
    bad: Mapping[str, tuple[float, ...]]  # what the message says, of three numbers


def repeated(*numbers: float) -> Callable[[int], np.ndarray]:
    return lambda size: np.resize(np.array(numbers), size)


STRENGTHS = Beside(
    "strengths",
    lambda size: np.linspace(0.6, 0.05, size),
    {
        "must be >= 0, got -0.1": (0.3, 0.2, -0.1),
        "must be >= 0, got nan": (0.3, NAN, 0.1),
        "must not increase": (0.3, 0.2, 0.25),
    },
)
WEIGHTS = Beside(
    "weights",
    repeated(0.7, 1.1, 0.0, 2.3, 1.5),
    {
        "must be >= 0 and finite, got -0.2": (0.3, -0.2, 0.1),
        "must be >= 0 and finite, got nan": (0.3, 0.2, NAN),
        "must be >= 0 and finite, got inf": (INF, 0.2, 0.1),
    },
)
NORMAL = Beside(
    "normal",
    repeated(0.6, -1.0, 0.0, 2.0, 0.3),
    {
        "must not be zero": (0.0, -0.0, 0.0),
        "must be finite, got nan": (0.3, 0.2, NAN),
        "must be finite, got -inf": (-INF, 0.2, 0.1),
    },
)


@dataclass(frozen=True)
class SliceOperator(Operator):
    """What maps and penalties of slices have."""

    definition: Callable[..., Any]  # of one vector in extended precision
    groups: bool = False  # takes several axes, offsets, labels and weights
    beside: Beside | None = None
    axis: int = -1  # the default

    def arguments(self, size: int, **params: float) -> dict[str, Any]:
        """Return all arguments for vectors of that length: the sample, with changes."""
        beside = {self.beside.name: self.beside.make(size)} if self.beside else {}
        return beside | self.sample_params | params

    def defined(self, x: np.ndarray, weight: float | None = None, **arguments: Any) -> Any:
        """Return the definition of one vector, with a weight of its group if there is one."""
        own = {} if weight is None else {"weight": weight}
        return self.definition(x.astype(np.longdouble), **arguments, **own)


@dataclass(frozen=True)
class Slice(SliceOperator):
    """An operator whose result at an element depends on the vector of the element."""

    others: tuple[tuple[float, ...], ...] = ()  # further parameters to try
    penalty: str = ""  # that of which it is the prox
    # Parameters that grow with the elements: c·f(x, p) = f(c·x, c·p).
    scaled: tuple[str, ...] = ()
    dual: tuple[str, str] | None = None  # x - f(x) is the projection of this name; on this radius
    # Of a set: by how much a vector breaks its conditions, as a share of the parameters' size.
    broken: Callable[..., Any] | None = None
    # Of a set: a vector in it, a -0.0 among its elements, and the parameters.
    inside: tuple[tuple[float, ...], dict[str, Any]] | None = None
    multiple: int = 1  # of which a vector's length must be one

    @property
    def parameter_sets(self) -> list[dict[str, float]]:
        """Return the sample and the others."""
        return [dict(zip(self.params, p, strict=True)) for p in (self.sample, *self.others)]

    def fits(self, size: int) -> bool:
        """Whether a vector may have that length."""
        return size % self.multiple == 0 and (size > 0 or self.beside is not NORMAL)


@dataclass(frozen=True)
class SlicePenalty(SliceOperator):
    """An operator that adds one number for each vector."""


def share(excess: Any, size: Any) -> Any:
    """Return an excess as a share of what it is measured by."""
    return max(excess, 0) / size if size > 0 else (INF if excess > 0 else 0.0)


def off_simplex(z: Any, radius: float) -> Any:
    return INF if (z < 0).any() else share(abs(z.sum() - radius), radius)


def off_plane(z: Any, normal: Any, offset: float, two_sided: bool) -> Any:
    excess = (z * normal).sum() - offset
    size = np.abs(normal).sum() + abs(offset)  # for elements of about one
    return share(abs(excess) if two_sided else excess, size)


GROUPS = {"groups": True}
STEP = {"strength": NON_NEGATIVE, "step": NON_NEGATIVE}
RADIUS = {"radius": NON_NEGATIVE}
ON_UNIT = (0.5, -0.25, 0.125, -0.125, -0.0, 0.0)  # the magnitudes add up to one, exactly
POSITIVE_ON_UNIT = (0.5, 0.25, 0.125, 0.125, -0.0, 0.0)
CONVEX = ("firm", "optimal")
NORM = (*CONVEX, "odd", "permutes", "shrinks")

SLICES = {
    row.name: row
    for row in (
        Slice(
            "group_soft_threshold",
            {"threshold": NON_NEGATIVE},
            (0.7,),
            **GROUPS,
            definition=defined.group_soft_threshold,
            others=((0.0,), (5.0,), (1e30,)),
            penalty="group_l2_penalty",
            scaled=("threshold",),
            dual=("project_l2_ball", "threshold"),
            laws=NORM,
        ),
        Slice(
            "prox_sparse_group",
            {"l1": NON_NEGATIVE, "group": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.3, 0.7, 0.6),
            **GROUPS,
            definition=defined.prox_sparse_group,
            others=((0.0, 0.7, 0.6), (0.3, 0.0, 0.6), (0.3, 0.7, 0.0), (2.0, 5.0, 1.5)),
            penalty="sparse_group_penalty",
            scaled=("l1", "group"),
            laws=NORM,
        ),
        Slice(
            "prox_group_linf",
            STEP,
            (0.7, 0.6),
            **GROUPS,
            definition=defined.prox_linf,
            others=((0.0, 0.6), (0.7, 0.0), (3.0, 4.0), (1e30, 1.0)),
            penalty="group_linf_penalty",
            scaled=("strength",),
            dual=("project_l1_ball", "strength"),
            laws=NORM,
        ),
        Slice(
            "prox_group_mcp",
            {"strength": NON_NEGATIVE, "gamma": POSITIVE, "step": NON_NEGATIVE},
            (0.7, 2.5, 0.6),
            **GROUPS,
            definition=defined.prox_group_mcp,
            others=((0.7, 0.5, 0.6), (1.5, 2.0, 8.0), (0.7, 2.5, 0.0), (2.0, 30.0, 1.0)),
            penalty="group_mcp_penalty",
            scaled=("strength",),
            laws=("lowest", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "prox_group_scad",
            {"strength": NON_NEGATIVE, "gamma": ABOVE_TWO, "step": NON_NEGATIVE},
            (0.7, 3.7, 0.6),
            **GROUPS,
            definition=defined.prox_group_scad,
            others=((0.7, 2.5, 1.7), (1.5, 3.0, 9.0), (0.7, 3.7, 0.0), (2.0, 30.0, 1.0)),
            penalty="group_scad_penalty",
            scaled=("strength",),
            laws=("lowest", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "prox_l2_norm",
            STEP,
            (0.7, 0.6),
            definition=defined.prox_l2_norm,
            others=((0.0, 0.6), (0.7, 0.0), (3.0, 4.0)),
            penalty="l2_norm_penalty",
            scaled=("strength",),
            dual=("project_l2_ball", "strength"),
            laws=NORM,
        ),
        Slice(
            "prox_linf_norm",
            STEP,
            (0.7, 0.6),
            definition=defined.prox_linf,
            others=((0.0, 0.6), (0.7, 0.0), (3.0, 4.0)),
            penalty="linf_norm_penalty",
            scaled=("strength",),
            dual=("project_l1_ball", "strength"),
            laws=NORM,
        ),
        Slice(
            "prox_slope",
            {"step": NON_NEGATIVE},
            (0.6,),
            beside=STRENGTHS,
            definition=defined.prox_slope,
            others=((0.0,), (3.0,), (50.0,)),
            penalty="slope_penalty",
            scaled=("step",),
            laws=NORM,
        ),
        Slice(
            "prox_total_variation",
            STEP,
            (0.7, 0.6),
            definition=defined.prox_total_variation,
            others=((0.0, 0.6), (0.7, 0.0), (3.0, 4.0), (1e30, 1.0)),
            penalty="total_variation_penalty",
            scaled=("strength",),
            laws=(*CONVEX, "odd", "reverses"),
        ),
        Slice(
            "project_simplex",
            {"radius": NON_NEGATIVE_FINITE},
            (0.7,),
            definition=defined.project_simplex,
            others=((3.0,), (0.0,), (1e-3,)),
            scaled=("radius",),
            broken=off_simplex,
            inside=(POSITIVE_ON_UNIT, {"radius": 1.0}),
            laws=("firm", "nearest", "permutes"),
        ),
        Slice(
            "project_l1_ball",
            RADIUS,
            (0.7,),
            definition=defined.project_l1_ball,
            others=((3.0,), (0.0,), (1e-3,), (1e30,)),
            scaled=("radius",),
            broken=lambda z, radius: share(np.abs(z).sum() - radius, radius),
            inside=(ON_UNIT, {"radius": 1.0}),
            laws=("firm", "nearest", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "project_weighted_l1_ball",
            RADIUS,
            (0.7,),
            beside=WEIGHTS,
            definition=defined.project_weighted_l1_ball,
            others=((3.0,), (0.0,), (1e-3,), (1e30,)),
            scaled=("radius",),
            broken=lambda z, weights, radius: share((weights * np.abs(z)).sum() - radius, radius),
            inside=(ON_UNIT, {"weights": np.ones(6), "radius": 1.0}),
            laws=("firm", "nearest", "odd", "shrinks"),
        ),
        Slice(
            "project_l2_ball",
            RADIUS,
            (0.7,),
            definition=defined.project_l2_ball,
            others=((3.0,), (0.0,), (1e-3,), (1e30,)),
            scaled=("radius",),
            broken=lambda z, radius: share(defined.norm(z) - radius, radius),
            inside=((3.0, -4.0, -0.0, 12.0), {"radius": 13.0}),
            laws=("firm", "nearest", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "project_linf_ball",
            RADIUS,
            (0.7,),
            definition=defined.project_linf_ball,
            others=((3.0,), (0.0,), (1e-3,), (1e30,)),
            scaled=("radius",),
            broken=lambda z, radius: share(defined.largest(z) - radius, radius),
            inside=(ON_UNIT, {"radius": 0.5}),
            laws=("firm", "nearest", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "project_l0_ball",
            {"k": COUNT},
            (3,),
            definition=defined.project_l0_ball,
            others=((0,), (1,), (1000,)),
            broken=lambda z, k: share(np.count_nonzero(z) - k, 1),
            inside=(ON_UNIT, {"k": 5}),
            laws=("odd", "shrinks", "nearest of few"),
        ),
        Slice(
            "project_halfspace",
            {"offset": NUMBER},
            (0.3,),
            beside=NORMAL,
            definition=defined.project_halfspace,
            others=((-3.0,), (0.0,), (1e3,)),
            scaled=("offset",),
            broken=lambda z, normal, offset: off_plane(z, normal, offset, False),
            inside=(ON_UNIT, {"normal": np.ones(6), "offset": 0.25}),
            laws=("firm", "nearest"),
        ),
        Slice(
            "project_hyperplane",
            {"offset": FINITE},
            (0.3,),
            beside=NORMAL,
            definition=defined.project_hyperplane,
            others=((-3.0,), (0.0,), (1e3,)),
            scaled=("offset",),
            broken=lambda z, normal, offset: off_plane(z, normal, offset, True),
            inside=(ON_UNIT, {"normal": np.ones(6), "offset": 0.25}),
            laws=("firm", "nearest"),
        ),
        Slice(
            "project_n_m",
            {"n": COUNT, "m": NOT_BELOW_N},
            (2, 4),
            definition=defined.project_n_m,
            others=((0, 4), (4, 4), (1, 2), (1, 1)),
            broken=lambda z, n, m: share(
                np.count_nonzero(z.reshape(-1, m), 1).max(initial=0) - n, 1
            ),
            inside=((0.5, -0.25, 0.0, 0.0, -0.0, -1.0, 0.0, 0.0), {"n": 2, "m": 4}),
            multiple=4,
            laws=("odd", "shrinks", "nearest of few"),
        ),
        Slice(
            "max_norm",
            {"max_value": NON_NEGATIVE},
            (0.7,),
            axis=0,
            definition=defined.max_norm,
            others=((3.0,), (0.0,), (1e-3,), (1e30,)),
            scaled=("max_value",),
            broken=lambda z, max_value: share(defined.norm(z) - max_value, max_value),
            inside=((3.0, -4.0, -0.0, 12.0), {"max_value": 13.0}),
            laws=("firm", "odd", "permutes", "shrinks"),
        ),
        Slice(
            "unit_norm",
            {},
            (),
            axis=0,
            definition=defined.unit_norm,
            broken=lambda z: abs(defined.norm(z) - 1),
            inside=((-0.0, -1.0, 0.0), {}),
            laws=("odd", "permutes"),
        ),
        Slice(
            "min_max_norm",
            {"min_value": NON_NEGATIVE, "max_value": NOT_BELOW_MINIMUM, "rate": FRACTION},
            (0.3, 0.7, 0.9),
            axis=0,
            definition=defined.min_max_norm,
            others=((2.0, 3.0, 1.0), (2.0, 2.0, 0.5), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
            scaled=("min_value", "max_value"),
            inside=((3.0, -4.0, -0.0, 12.0), {"min_value": 13.0, "max_value": 13.0, "rate": 0.9}),
            laws=("odd", "permutes"),
        ),
    )
}

SLICE_PENALTIES = {
    row.name: row
    for row in (
        SlicePenalty(
            "group_l2_penalty",
            {"strength": NON_NEGATIVE},
            (0.7,),
            **GROUPS,
            definition=defined.group_l2_penalty,
            laws=(),
        ),
        SlicePenalty(
            "sparse_group_penalty",
            {"l1": NON_NEGATIVE, "group": NON_NEGATIVE},
            (0.3, 0.7),
            **GROUPS,
            definition=defined.sparse_group_penalty,
            laws=(),
        ),
        SlicePenalty(
            "group_linf_penalty",
            {"strength": NON_NEGATIVE},
            (0.7,),
            **GROUPS,
            definition=defined.linf_penalty,
            laws=(),
        ),
        SlicePenalty(
            "group_mcp_penalty",
            {"strength": NON_NEGATIVE, "gamma": POSITIVE},
            (0.7, 2.5),
            **GROUPS,
            definition=defined.group_mcp_penalty,
            laws=(),
        ),
        SlicePenalty(
            "group_scad_penalty",
            {"strength": NON_NEGATIVE, "gamma": ABOVE_TWO},
            (0.7, 3.7),
            **GROUPS,
            definition=defined.group_scad_penalty,
            laws=(),
        ),
        SlicePenalty(
            "l2_norm_penalty",
            {"strength": NON_NEGATIVE},
            (0.7,),
            definition=defined.group_l2_penalty,
            laws=(),
        ),
        SlicePenalty(
            "linf_norm_penalty",
            {"strength": NON_NEGATIVE},
            (0.7,),
            definition=defined.linf_penalty,
            laws=(),
        ),
        SlicePenalty(
            "slope_penalty",
            {},
            (),
            beside=STRENGTHS,
            definition=defined.slope_penalty,
            laws=(),
        ),
        SlicePenalty(
            "total_variation_penalty",
            {"strength": NON_NEGATIVE},
            (0.7,),
            definition=defined.total_variation_penalty,
            laws=(),
        ),
    )
}
ALL_SLICES = [*SLICES.values(), *SLICE_PENALTIES.values()]


def vectors(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return ordinary numbers, some of them equal in magnitude, some zero."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 2, shape)
    repeats = rng.random(shape) < 0.2
    x[repeats] = rng.choice([-0.75, 0.75, 0.0, -0.0, 1.25], repeats.sum())
    return x.astype(dtype)


# The unit of rounding of what is stored and of what is computed with.
STORED = dict(zip(DTYPES.values(), (2.0**-11, 2.0**-8, 2.0**-24, 2.0**-53), strict=True))
COMPUTED = dict(zip(DTYPES.values(), (2.0**-24, 2.0**-24, 2.0**-24, 2.0**-53), strict=True))
