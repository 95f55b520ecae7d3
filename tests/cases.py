"""One row per operator: its formula in NumPy, sample parameters, the laws that it obeys.

A row is all that an operator needs in the tests. Formulas are written as in the documentation,
in the order of operations that the contract fixes; they are evaluated in float32 or float64 and
never look at the library. The order in which penalties are summed is written out here as well.

Of an operator with roots or logarithms the contract fixes no last digit: its formula is evaluated
in long double, and what the library gives for a plain array of the type that computes is what it
must give for every other array, once it was found to be within so many units of the formula.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from bridle import _core

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
    # How far the library may be from the formula, in units in the last place of the type that
    # computes. Zero: not by a bit.
    units: float = field(default=0.0, kw_only=True)

    def settled(self, formula: Callable[..., Any], x: np.ndarray, *params: Any) -> np.ndarray:
        """Return what the library gives for each element, found near enough to the formula."""
        if any(np.ndim(value) > 0 for value in params):
            arrays = np.broadcast_arrays(x, *params)
            flat = [np.ascontiguousarray(array).ravel() for array in arrays]
            return self.settled_each(formula, *flat).reshape(arrays[0].shape)
        flat = np.ascontiguousarray(x).ravel()  # most arrays of the tests repeat some numbers
        _, first, again = np.unique(flat.view(f"u{flat.itemsize}"), True, True)
        return self.settled_each(formula, flat[first], *params)[again].reshape(x.shape)

    def settled_each(self, formula: Callable[..., Any], x: np.ndarray, *params: Any) -> np.ndarray:
        exact = formula(*[np.asarray(n).astype(np.longdouble) for n in (x, *params)])
        vectors = x[:, np.newaxis] if self.name in _core.penalties else x
        given = _core.ufuncs[self.name](vectors, *params)
        unit = np.spacing(np.abs(exact).astype(given.dtype))
        near = (np.abs(given - exact) <= self.units * unit) | (given == exact)
        near |= np.isnan(given) & np.isnan(exact)
        if not near.all():
            k = np.flatnonzero(~near)[0]
            message = f"{self.name}({x[k]!r}) = {given[k]!r}, not {exact[k]!r}, with {params}"
            raise AssertionError(message)
        return given

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
    takes_complex: bool = False  # tests of its own hold complex numbers against another formula
    keeps_zeros: bool = False  # a -0.0 that nothing changes stays what it is

    def expected(self, x: np.ndarray, **params: Any) -> np.ndarray:
        """Return the result of the contract: computed in float32 or float64, rounded once."""
        compute = np.float64 if x.dtype == np.float64 else np.float32
        with np.errstate(all="ignore"):
            values = {name: np.asarray(value).astype(compute) for name, value in params.items()}
            if self.units:
                wide = self.settled(self.formula, x.astype(compute), *values.values())
            else:
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

    def terms_of(self, w: np.ndarray, **params: Any) -> list[np.ndarray]:
        """Return what each element adds to each sum."""
        if not self.units:
            return [term(w, **params) for term in self.terms]
        (term,) = self.terms
        others = [np.asarray(value, np.float64) for value in [*params.values()][1:]]
        names = "w", *self.params

        def of_element(*numbers: np.ndarray) -> np.ndarray:
            return term(**dict(zip(names, numbers, strict=True)))

        return [self.settled(of_element, w, np.float64(1), *others)]

    def expected(self, w: np.ndarray, **params: Any) -> np.float64:
        """Return the penalty of a vector, its elements visited in the order given."""
        with np.errstate(all="ignore"):
            sums = [sum_in_order(term) for term in self.terms_of(w.astype(np.float64), **params)]
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


def unless_decided(x: Any, weight: Any, moved: Any) -> Any:
    """Return x where there is no penalty, 0 where it is infinite; `moved` is for 0 < x < inf."""
    kept = (weight == 0) | np.isinf(x) | np.isnan(x)
    size = np.where((weight > limit(weight)) & ~np.isnan(x), 0, np.where(kept, np.abs(x), moved))
    return np.copysign(size, x)


def l_half(x: Any, strength: Any, step: Any) -> Any:
    """Solve u³ - |x|·u + weight/2 = 0 for u = √z by a cosine."""
    weight, size = product(strength, step), np.abs(x)
    cosine = -0.75 * (weight / size) * np.sqrt(3 / size)
    root = 2 * np.sqrt(size / 3) * np.cos(np.arccos(cosine) / 3)
    dropped = 8 * size * size * size <= 27 * weight * weight
    return unless_decided(x, weight, np.where(dropped, 0, root * root))


def l_two_thirds(x: Any, strength: Any, step: Any) -> Any:
    """Solve u⁴ - |x|·u + weight·2/3 = 0 for u = ∛z by Newton's method from above."""
    weight, size = product(strength, step), np.abs(x)
    root = np.cbrt(size)
    for _ in range(7):
        cube = root * root * root
        root = root - ((cube - size) * root + weight * 2 / 3) / (4 * cube - size)
    dropped = 27 * np.square(np.square(size)) <= 128 * weight * weight * weight
    return unless_decided(x, weight, np.where(dropped, 0, root * root * root))


def log_sum(x: Any, strength: Any, epsilon: Any, step: Any) -> Any:
    """Solve (z - |x|)·(z + epsilon) + weight = 0, and compare the objective with that of zero."""
    weight, size = product(strength, step), np.abs(x)
    rest = difference_of_products(size, epsilon, strength, step)
    a = size - epsilon
    total = np.sqrt(a * a + 4 * rest) + np.abs(a)
    z = np.where(a < 0, 2 * rest / total, total / 2)
    gain = z * z / 2 - weight * (np.log1p(z / epsilon) - z / (z + epsilon))
    z = np.where((rest > 0) | ((a > 0) & (gain > 0)), z, 0)
    return unless_decided(x, weight, np.where(epsilon > limit(epsilon), size, z))


def difference_of_products(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return a·b - c·d, rounded about once, of long doubles that hold doubles."""

    def halves(n):
        upper = np.asarray(n, np.float64).view(np.uint64) & np.uint64(0xFFFFFFFFF8000000)
        upper = upper.view(np.float64).astype(np.longdouble)
        return upper, n - upper

    (a1, a2), (b1, b2), (c1, c2), (d1, d2) = map(halves, (a, b, c, d))
    parts = (a1 * b1, -c1 * d1), (a1 * b2, -c1 * d2), (a2 * b1, -c2 * d1), (a2 * b2, -c2 * d2)
    return sum(first + second for first, second in parts)


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


def root_term(w: Any, **_: Any) -> Any:
    return np.sqrt(np.abs(w))


def two_thirds_term(w: Any, **_: Any) -> Any:
    return np.cbrt(np.abs(w)) ** 2


def logarithm_term(w: Any, epsilon: Any, **_: Any) -> Any:
    return np.log1p(np.abs(w) / epsilon)


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
            takes_complex=True,
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
        Elementwise(
            "prox_l_half",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=l_half,
            units=0.52,
            penalty=lambda z, strength, step: step * strength * root_term(z),
            laws=NONCONVEX,
        ),
        Elementwise(
            "prox_l_two_thirds",
            {"strength": NON_NEGATIVE, "step": NON_NEGATIVE},
            (0.45, 0.6),
            formula=l_two_thirds,
            units=0.52,
            penalty=lambda z, strength, step: step * strength * two_thirds_term(z),
            laws=NONCONVEX,
        ),
        Elementwise(
            "prox_log_sum",
            {"strength": NON_NEGATIVE, "epsilon": POSITIVE, "step": NON_NEGATIVE},
            (0.45, 0.3, 0.6),
            formula=log_sum,
            units=0.52,
            penalty=lambda z, strength, epsilon, step: step * strength * logarithm_term(z, epsilon),
            laws=NONCONVEX,
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
        Penalty(
            "l_half_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(root_term,),
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "l_two_thirds_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(two_thirds_term,),
            units=2,
            finish=times_strength,
            laws=("even",),
        ),
        Penalty(
            "log_sum_penalty",
            {"strength": NON_NEGATIVE, "epsilon": POSITIVE},
            (0.3, 0.45),
            terms=(logarithm_term,),
            units=2,
            finish=times_strength,
            laws=("even",),
        ),
    )
}
