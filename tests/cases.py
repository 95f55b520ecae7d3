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


NON_NEGATIVE = Domain(
    ">= 0", good=(0.0, 5e-324, 0.3, 2.0, 1e30, INF), bad=(-0.5, -1.0, -5e-324, -INF, NAN)
)
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
    def sample_params(self) -> dict[str, float]:
        return dict(zip(self.params, self.sample, strict=True))

    @property
    def whole_params(self) -> dict[str, float]:
        """Good values that integers can hold, too."""
        small = {n: [v for v in d.good if v < 100 and v == int(v)] for n, d in self.params.items()}
        return {name: max(numbers) for name, numbers in small.items()}

    def spread(self, name: str, size: int, dtype: Any = np.float64) -> np.ndarray:
        """Return an array of good values that differ from element to element."""
        return (self.sample_params[name] * np.linspace(1, 1.4, size)).astype(dtype)

    @property
    def good_params(self) -> list[dict[str, float]]:
        """Every combination of the good values."""
        values = combinations(*(domain.good for domain in self.params.values()))
        return [dict(zip(self.params, chosen, strict=True)) for chosen in values]


@dataclass(frozen=True)
class Elementwise(Operator):
    """An operator that maps each element by itself."""

    formula: Callable[..., Any]
    # What the operator is the proximal operator or the subgradient of, for one element.
    penalty: Callable[..., Any] | None = None

    def expected(self, x: np.ndarray, **params: Any) -> np.ndarray:
        """Return the result of the contract: computed in float32 or float64, rounded once."""
        compute = np.float64 if x.dtype == np.float64 else np.float32
        with np.errstate(all="ignore"):
            values = {name: np.asarray(value).astype(compute) for name, value in params.items()}
            result = self.formula(x.astype(compute), **values).astype(x.dtype)
        return with_positive_zeros(result)


@dataclass(frozen=True)
class Penalty(Operator):
    """An operator that sums over the elements; `terms` are what one element adds to each sum."""

    terms: tuple[Callable[[np.ndarray], np.ndarray], ...]
    finish: Callable[..., Any]  # the penalty, of the sums and then the parameters by name

    def expected(self, w: np.ndarray, **params: Any) -> np.float64:
        """Return the penalty of a vector, its elements visited in the order given."""
        with np.errstate(all="ignore"):
            wide = w.astype(np.float64)
            sums = [sum_in_order(term(wide)) for term in self.terms]
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


SHRINKING = ("odd", "shrinks", "identity_at_zero", "firmly_nonexpansive")
PROX = (*SHRINKING, "argmin")

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
    )
}

PENALTIES = {
    row.name: row
    for row in (
        Penalty(
            "l1_penalty",
            {"strength": NON_NEGATIVE},
            (0.3,),
            terms=(np.abs,),
            finish=lambda total, strength: product(strength, total),
            laws=("even", "doubles"),
        ),
        Penalty(
            "l2_penalty",
            {"strength": NON_NEGATIVE},
            (0.45,),
            terms=(np.square,),
            finish=lambda total, strength: product(strength, total),
            laws=("even", "quadruples"),
        ),
        Penalty(
            "elastic_net_penalty",
            {"l1": NON_NEGATIVE, "l2": NON_NEGATIVE},
            (0.3, 0.45),
            terms=(np.abs, np.square),
            finish=lambda absolute, square, l1, l2: product(l1, absolute) + product(l2, square),
            laws=("even",),
        ),
    )
}
