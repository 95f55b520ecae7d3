"""One row per operator: its formula in NumPy, sample parameters, the laws that it obeys.

A row is all that an operator needs in the tests. Formulas are written as in the documentation,
in the order of operations that the contract fixes; they are evaluated in float32 or float64 and
never look at the library. The order in which penalties are summed is written out here as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

INF, NAN = np.inf, np.nan
DTYPES = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}

# Around the width of every vector, of a superblock of random bits and of a chunk of a sum.
SIZES = (0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 511, 512, 513)
SIZES += (4095, 4096, 4097, 3 * 4096 + 5)
THREADED_SIZES = (65536 + 13, 200_003)  # more than one thread works on these


class Domain(NamedTuple):
    """What one hyper-parameter may be."""

    rule: str  # as the error message puts it
    good: tuple[float, ...]
    bad: tuple[float, ...]

    def breaks(self, value: float) -> bool:
        """Whether a value is one of the bad ones."""
        return any(value == bad or (value != value and bad != bad) for bad in self.bad)


NON_NEGATIVE = Domain(
    ">= 0", good=(0.0, 5e-324, 0.3, 2.0, 1e30, INF), bad=(-0.5, -1.0, -5e-324, -INF, NAN)
)
POSITIVE = Domain(
    "> 0", good=(1e-42, 0.3, 2.0, 1e30, INF), bad=(0.0, -0.5, -1.0, -5e-324, -INF, NAN)
)
ABOVE_TWO = Domain(
    "> 2",
    good=(2.0000005, 2.5, 3.0, 1e30, INF),
    bad=(2.0, 0.0, -0.5, float(np.nextafter(2, 1)), -INF, NAN),
)
NUMBER = Domain("a number", good=(-INF, -1.0, -0.3, -0.0, 0.3, 2.0, INF), bad=(NAN,))
ANYTHING = Domain("anything", good=(NAN, -INF, -0.3, 0.0, 2.0, 1e30, INF), bad=())
# What is too small for the parameter before it stands in tests of its own.
ABOVE_LOWER = Domain(">= lower", good=(-0.3, -0.0, 0.3, 0.45, 2.0, INF), bad=(NAN,))
FRACTION = Domain(
    "between 0 and 1",
    good=(0.0, 1e-9, 0.3, 0.97, 1.0),
    bad=(-0.5, -1.0, -5e-324, 2.0, float(np.nextafter(1, 2)), INF, NAN),
)


@dataclass(frozen=True)
class Operator:
    """What rows of both kinds have."""

    name: str
    params: Mapping[str, Domain]
    sample: tuple[float, ...]  # one valid value a parameter, no two alike
    laws: tuple[str, ...] = field(kw_only=True)

    @property
    def checked(self) -> list[str]:
        """The parameters that may not be anything."""
        return [name for name, domain in self.params.items() if domain.bad]

    def nothing(self, value: float = 0.0) -> dict[str, float]:
        """Return the sample with zero, or another value, for every strength and step."""
        zeros = {
            n: value for n, domain in self.params.items() if domain in (NON_NEGATIVE, FRACTION)
        }
        return self.sample_params | zeros

    @property
    def sample_params(self) -> dict[str, float]:
        return dict(zip(self.params, self.sample, strict=True))

    @property
    def whole_params(self) -> dict[str, float]:
        """Good values that integers can hold, too."""
        small = {
            n: [v for v in d.good if abs(v) < 100 and v == int(v)] for n, d in self.params.items()
        }
        return {name: max(numbers) for name, numbers in small.items()}

    def spread(self, name: str, size: int, dtype: Any = np.float64) -> np.ndarray:
        """Return an array of good values that differ from element to element."""
        return (self.sample_params[name] * np.linspace(1, 1.4, size)).astype(dtype)

    @property
    def good_params(self) -> list[dict[str, float]]:
        """Every combination of the good values."""
        values = combinations(*(domain.good for domain in self.params.values()))
        sets = [dict(zip(self.params, chosen, strict=True)) for chosen in values]
        return [p for p in sets if "lower" not in p or p["lower"] <= p["upper"]]


@dataclass(frozen=True)
class Elementwise(Operator):
    """An operator that maps each element by itself."""

    formula: Callable[..., Any]
    # What the operator is the proximal operator or the subgradient of, for one element.
    penalty: Callable[..., Any] | None = None
    keeps_zeros: bool = False  # a -0.0 that nothing changes stays what it is

    def expected(self, x: np.ndarray, **params: Any) -> np.ndarray:
        """Return the result of the contract: computed in float32 or float64, rounded once."""
        compute = np.float64 if x.dtype == np.float64 else np.float32
        with np.errstate(all="ignore"):
            values = {name: np.asarray(value).astype(compute) for name, value in params.items()}
            wide = self.formula(x.astype(compute), **values)
            result = wide.astype(x.dtype)
        if self.keeps_zeros:
            return np.where((wide == 0) & np.signbit(wide), result, with_positive_zeros(result))
        return with_positive_zeros(result)


@dataclass(frozen=True)
class Penalty(Operator):
    """An operator that sums over the elements."""

    terms: tuple[Callable[..., Any], ...]  # what an element adds to each sum; takes the parameters
    finish: Callable[..., Any]  # the penalty, of the sums and then the parameters by name
    nonnegative: bool = False  # infinite where an element is negative

    def expected(self, w: np.ndarray, **params: Any) -> np.float64:
        """Return the penalty of a vector, its elements visited in the order given."""
        with np.errstate(all="ignore"):
            wide = w.astype(np.float64)
            sums = [sum_in_order(term(wide, **params)) for term in self.terms]
            return np.float64(self.finish(*sums, **params))


def with_positive_zeros(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, x.dtype.type(0), x)


def product(a: Any, b: Any) -> Any:
    """Return a·b, 0 if either is 0, whatever the other is."""
    either = (a == 0) | (b == 0)
    return np.where(either, np.zeros_like(a), a * b)


def sum_in_order(terms: np.ndarray) -> np.float64:
    """Sum by the contract: chunks of 4096, 32 lanes that are folded, chunks pairwise by level."""
    chunks = -(-terms.size // 4096)
    padded = np.zeros(chunks * 4096)  # adding the zero of a missing element changes no sum
    padded[: terms.size] = terms
    rows = padded.reshape(chunks, 128, 32)
    lanes = np.zeros((chunks, 32))
    for row in range(128):
        lanes += rows[:, row]
    for half in (16, 8, 4, 2, 1):
        lanes = lanes[:, :half] + lanes[:, half:]
    level = list(lanes[:, 0])
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return np.float64(level[0] if level else 0.0)


def hostile(dtype: np.dtype) -> np.ndarray:
    """Return values at every edge of the type, and at the parameters that the rows use."""
    info = ml_dtypes.finfo(dtype)
    tiny, least = float(info.smallest_normal), float(info.smallest_subnormal)
    magnitudes = [0.0, least, 3 * least, tiny - least, tiny, float(info.eps), 0.1, 1.0, 1.5, 1e4]
    magnitudes += [0.3, 0.45, 0.6, 2.0, float(info.max), INF, NAN]
    values = np.array(magnitudes + [-m for m in magnitudes]).astype(dtype)
    near = np.abs(values[np.isfinite(values) & (values != 0) & (np.abs(values) < 1e4)])
    around = np.concatenate(
        [np.nextafter(near, dtype.type(0)), np.nextafter(near, dtype.type(2e4))]
    )
    return np.concatenate([values, around, -around])


def values(dtype: np.dtype, size: int, *, finite: bool = False) -> np.ndarray:
    """Return edge cases (unless `finite`) and ordinary numbers, repeated with a prime period."""
    rng = np.random.default_rng(20240229)
    ordinary = rng.normal(size=997) * 2.0 ** rng.integers(-12, 4, size=997)
    pool = ordinary.astype(dtype)
    if not finite:
        edges = hostile(dtype)
        pool[:: 997 // edges.size][: edges.size] = edges
    return np.resize(pool, size)


def soft(x: Any, threshold: Any) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def clipped(x: Any, low: Any, high: Any) -> Any:
    """Return x limited to [low, high]; a NaN stays."""
    raised = np.where(x < low, low, x)
    return np.where(raised > high, high, raised)


def subtract_clipped(x: Any, threshold: Any) -> Any:
    return x - clipped(x, -threshold, threshold)


def limit(x: Any) -> Any:
    """Return the largest finite number of the type."""
    return np.finfo(np.asarray(x).dtype).max


def root_of_product(a: Any, b: Any) -> Any:
    both = product(a, b)
    ordinary = (both >= np.finfo(both.dtype).tiny) & (both <= limit(both))
    return np.where(ordinary, np.sqrt(both), product(np.sqrt(a), np.sqrt(b)))


def hard(x: Any, threshold: Any) -> Any:
    return np.where(np.abs(x) <= threshold, np.zeros_like(x), x)


def bent_line(x: Any, lower: Any, upper: Any, slope: Any) -> Any:
    size = np.abs(x)
    slope = np.where(slope < limit(x), slope, limit(x))
    line = clipped(subtract_clipped(x, lower) * slope, -size, size)
    return np.where(size > upper, x, np.where(size <= lower, np.zeros_like(x), line))


def firm(x: Any, lower: Any, upper: Any) -> Any:
    slope = np.where(upper <= limit(x), upper / (upper - lower), np.ones_like(upper))
    return bent_line(x, lower, upper, slope)


def mcp(x: Any, strength: Any, gamma: Any, step: Any) -> Any:
    convex, crossing = step < gamma, product(strength, root_of_product(step, gamma))
    lower = np.where(convex, product(step, strength), crossing)
    upper = np.where(convex, product(gamma, strength), crossing)
    slope = np.where(gamma <= limit(x), gamma / (gamma - step), np.ones_like(gamma))
    return bent_line(x, lower, upper, slope)


def scad(x: Any, strength: Any, gamma: Any, step: Any) -> Any:
    half, one = np.asarray(0.5, x.dtype), np.asarray(1, x.dtype)
    threshold, size, convex = product(step, strength), np.abs(x), step < gamma - one
    early, late = root_of_product(step, gamma + one), half * (gamma + one) + half * step
    crossing = np.where(gamma + one <= step, early, late)
    end = product(strength, np.where(convex, gamma, crossing))
    slope = np.where(gamma <= limit(x), (gamma - one) / (gamma - one - step), one)
    slope = np.where(convex & (slope < limit(x)), slope, 0 * one)
    first = clipped(subtract_clipped(x, threshold), -strength, strength)
    second = subtract_clipped(x, strength + threshold) * slope
    inner = clipped(first + second, -size, size)
    return np.where((size > end) | ((threshold == 0) & (size == size)), x, inner)


def huber(x: Any, strength: Any, delta: Any, step: Any) -> Any:
    weight = product(step, strength)
    near = x / (1 + weight)
    return np.where(np.abs(near) > delta, subtract_clipped(x, product(weight, delta)), near)


def l2_sp(x: Any, reference: Any, strength: Any, step: Any) -> Any:
    weight = 2 * product(step, strength)
    share = np.where(weight <= limit(x), weight / (1 + weight), np.ones_like(weight))
    moved = np.where(weight == 0, np.zeros_like(x), share * reference)
    return x / (1 + weight) + moved


def finite(x: Any) -> Any:
    return np.where(x > limit(x), limit(x), x)


def half_over(x: Any) -> Any:
    """Return 1/(2·x), finite also for zero."""
    with np.errstate(divide="ignore", over="ignore"):
        return finite(np.divide(0.5, x))


def mcp_term(w: Any, strength: Any, gamma: Any) -> Any:
    size, end = np.abs(w), product(gamma, strength)
    z = np.where(size > end, end, size)
    return z * (1 - finite(z) * half_over(end))


def scad_term(w: Any, strength: Any, gamma: Any) -> Any:
    size, end = np.abs(w), product(gamma, strength)
    z = np.where(size > end, end, size)
    e = np.where(finite(z) > strength, finite(z) - strength, 0.0)
    return z - e * (e * half_over(product(np.asarray(gamma) - 1.0, strength)))


def huber_term(w: Any, delta: Any, **_: Any) -> Any:
    size = np.abs(w)
    z = np.where(size > delta, delta, size)
    return np.where(z > limit(z), z, z * (size - 0.5 * z))


def positive_part(w: Any, **_: Any) -> Any:
    return np.where(w < 0, 0.0, w)


def infinite_if_negative(w: Any, **_: Any) -> Any:
    return np.where(w < 0, INF, 0.0)


def if_nonnegative(z: Any, cost: Any) -> Any:
    return np.where(np.asarray(z) < 0, INF, cost)


def l0_term(w: Any, **_: Any) -> Any:
    return np.where(np.isnan(w), w, (w != 0).astype(np.float64))


def absolute(w: Any, **_: Any) -> Any:
    return np.abs(w)


def square(w: Any, **_: Any) -> Any:
    return np.square(w)


def times_strength(total: Any, strength: Any, **_: Any) -> Any:
    return product(strength, total)


SHRINKING = ("odd", "shrinks", "identity_at_zero", "firmly_nonexpansive")
PROX = (*SHRINKING, "argmin")
NONCONVEX = ("odd", "shrinks", "identity_at_zero", "argmin")

ELEMENTWISE = {
    row.name: row
    for row in (
        Elementwise(
            "soft_threshold",
            {"threshold": NON_NEGATIVE},
            (0.3,),
            formula=soft,
            penalty=lambda z, threshold: threshold * np.abs(z),
            laws=PROX,
        ),
        Elementwise(
            "prox_elastic_net",
            {"l1": NON_NEGATIVE, "l2": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.3, 0.45, 0.6),
            formula=lambda x, l1, l2, step: (
                soft(x, product(step, l1)) / (1 + 2 * product(step, l2))
            ),
            penalty=lambda z, l1, l2, step: step * (l1 * np.abs(z) + l2 * z * z),
            laws=PROX,
        ),
        Elementwise(
            "prox_l2",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=lambda x, strength, step: x / (1 + 2 * product(step, strength)),
            penalty=lambda z, strength, step: step * strength * z * z,
            laws=PROX,
        ),
        Elementwise(
            "decay",
            {"rate": FRACTION},
            (0.3,),
            formula=lambda w, rate: w * (1 - rate),
            laws=SHRINKING,
        ),
        Elementwise(
            "elastic_net_gradient",
            {"l1": NON_NEGATIVE, "l2": NON_NEGATIVE},
            (0.3, 0.45),
            formula=lambda w, l1, l2: l1 * np.sign(w) + (2 * l2) * w,
            penalty=lambda w, l1, l2: l1 * np.abs(w) + l2 * w * w,
            laws=("odd", "subgradient"),
        ),
        Elementwise(
            "hard_threshold",
            {"threshold": NON_NEGATIVE},
            (0.3,),
            formula=hard,
            penalty=lambda z, threshold: 0.5 * threshold**2 * (z != 0),
            laws=NONCONVEX,
        ),
        Elementwise(
            "firm_threshold",
            {"lower": NON_NEGATIVE, "upper": ABOVE_LOWER},
            (0.3, 0.45),
            formula=firm,
            laws=("odd", "shrinks"),
        ),
        Elementwise(
            "prox_l0",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=lambda x, strength, step: hard(x, root_of_product(2 * step, strength)),
            penalty=lambda z, strength, step: step * strength * (z != 0),
            laws=NONCONVEX,
        ),
        Elementwise(
            "prox_mcp",
            {"strength": NON_NEGATIVE, "gamma": POSITIVE, "step": NON_NEGATIVE},
            (0.3, 2.5, 0.6),
            formula=mcp,
            penalty=lambda z, strength, gamma, step: step * strength * mcp_term(z, strength, gamma),
            laws=NONCONVEX,
        ),
        Elementwise(
            "prox_scad",
            {"strength": NON_NEGATIVE, "gamma": ABOVE_TWO, "step": NON_NEGATIVE},
            (0.3, 3.7, 0.6),
            formula=scad,
            penalty=lambda z, strength, gamma, step: (
                step * strength * scad_term(z, strength, gamma)
            ),
            laws=NONCONVEX,
        ),
        Elementwise(
            "prox_huber",
            {"strength": NON_NEGATIVE, "delta": POSITIVE, "step": NON_NEGATIVE},
            (0.45, 0.3, 0.6),
            formula=huber,
            penalty=lambda z, strength, delta, step: step * strength * huber_term(z, delta),
            laws=PROX,
        ),
        Elementwise(
            "prox_nonnegative_l1",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=lambda x, strength, step: np.where(
                x <= product(step, strength), np.zeros_like(x), x - product(step, strength)
            ),
            penalty=lambda z, strength, step: if_nonnegative(z, step * strength * z),
            laws=("firmly_nonexpansive", "argmin"),
        ),
        Elementwise(
            "prox_nonnegative_l2",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=lambda x, strength, step: (
                np.where(x < 0, np.zeros_like(x), x) / (1 + 2 * product(step, strength))
            ),
            penalty=lambda z, strength, step: if_nonnegative(z, step * strength * z * z),
            laws=("firmly_nonexpansive", "argmin"),
        ),
        Elementwise(
            "prox_l2_sp",
            {"reference": ANYTHING, "strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (-0.3, 0.45, 0.6),
            formula=l2_sp,
            penalty=lambda z, reference, strength, step: step * strength * (z - reference) ** 2,
            laws=("identity_at_zero", "firmly_nonexpansive", "argmin"),
        ),
        Elementwise(
            "project_box",
            {"lower": NUMBER, "upper": ABOVE_LOWER},
            (-0.3, 0.45),
            formula=lambda x, lower, upper: clipped(x, lower + 0, upper + 0),
            keeps_zeros=True,
            laws=("firmly_nonexpansive", "projects"),
        ),
        Elementwise(
            "project_nonnegative",
            {},
            (),
            formula=lambda x: np.where(x < 0, np.zeros_like(x), x),
            keeps_zeros=True,
            laws=("firmly_nonexpansive", "projects"),
        ),
    )
}

PENALTIES = {
    row.name: row
    for row in (
        Penalty(
            "l1_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(absolute,),
            finish=times_strength,
            laws=("even", "doubles"),
        ),
        Penalty(
            "l2_penalty",
            {"strength": NON_NEGATIVE},
            (0.45,),
            terms=(square,),
            finish=times_strength,
            laws=("even", "quadruples"),
        ),
        Penalty(
            "elastic_net_penalty",
            {"l1": NON_NEGATIVE, "l2": NON_NEGATIVE},
            (0.3, 0.45),
            terms=(absolute, square),
            finish=lambda first, second, l1, l2: product(l1, first) + product(l2, second),
            laws=("even",),
        ),
        Penalty(
            "l0_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(l0_term,),
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "mcp_penalty",
            {"strength": NON_NEGATIVE, "gamma": POSITIVE},
            (0.3, 2.5),
            terms=(mcp_term,),
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "scad_penalty",
            {"strength": NON_NEGATIVE, "gamma": ABOVE_TWO},
            (0.3, 3.7),
            terms=(scad_term,),
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "huber_penalty",
            {"strength": NON_NEGATIVE, "delta": POSITIVE},
            (0.45, 0.3),
            terms=(huber_term,),
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "nonnegative_l1_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(positive_part, infinite_if_negative),
            finish=lambda total, infinite, strength: product(strength, total) + infinite,
            nonnegative=True,
            laws=(),
        ),
        Penalty(
            "nonnegative_l2_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(lambda w, **_: np.square(positive_part(w)), infinite_if_negative),
            finish=lambda total, infinite, strength: product(strength, total) + infinite,
            nonnegative=True,
            laws=(),
        ),
        Penalty(
            "l2_sp_penalty",
            {"reference": ANYTHING, "strength": NON_NEGATIVE},
            (-0.3, 0.45),
            terms=(lambda w, reference, **_: np.square(w - reference),),
            finish=times_strength,
            laws=(),
        ),
    )
}
