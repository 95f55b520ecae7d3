"""The fused updates as their definitions have them, in float64 NumPy, and one row for each form.

Nothing here looks at the library but `Update.call`, which calls it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

import bridle as br

LR, EPSILON = 0.05, 1e-3
BETAS, ALPHA, MOMENTUM = (0.8, 0.95), 0.9, 0.7
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Update:
    """One form of an update. `direction` gives u, its denominator and the new state."""

    name: str
    function: str
    states: tuple[str, ...]
    direction: Callable[[np.ndarray, Arrays, int], tuple[np.ndarray, Any, Arrays]]
    options: dict[str, Any] = field(default_factory=dict)
    adaptive: bool = False
    counts: bool = False  # takes the number of the step
    lr: float = LR

    @property
    def has_gradient(self) -> bool:
        return self.function != "proximal_step"

    @property
    def regularized(self) -> bool:
        """Whether it takes the common keywords."""
        return self.has_gradient and self.function != "ftrl_update"

    def call(self, w: Any, gradient: Any, state: Any, iteration: int = 1, **keywords: Any) -> Any:
        """Call the library, everything by name."""
        arguments: dict[str, Any] = dict(zip(self.states, state, strict=True)) | self.options
        if self.has_gradient:
            arguments |= {"gradient": gradient, "lr": self.lr}
        else:
            arguments["step"] = self.lr
        if self.counts:
            arguments["iteration"] = iteration
        return getattr(br, self.function)(w, **arguments | keywords)


def no_direction(g: np.ndarray, state: Arrays, t: int) -> Any:
    return np.zeros_like(g), 1.0, []


def sgd(g: np.ndarray, state: Arrays, t: int) -> Any:
    return g, 1.0, []


def heavy_ball(g: np.ndarray, state: Arrays, t: int) -> Any:
    b = MOMENTUM * state[0] + g
    return b, 1.0, [b]


def nesterov(g: np.ndarray, state: Arrays, t: int) -> Any:
    b = MOMENTUM * state[0] + g
    return g + MOMENTUM * b, 1.0, [b]


def adam(g: np.ndarray, state: Arrays, t: int) -> Any:
    m = BETAS[0] * state[0] + (1 - BETAS[0]) * g
    v = BETAS[1] * state[1] + (1 - BETAS[1]) * g**2
    below = np.sqrt(v / (1 - BETAS[1] ** t)) + EPSILON
    return m / (1 - BETAS[0] ** t) / below, below, [m, v]


def adagrad(g: np.ndarray, state: Arrays, t: int) -> Any:
    a = state[0] + g**2
    below = np.sqrt(a) + EPSILON
    return g / below, below, [a]


def rmsprop(momentum: float, centered: bool) -> Callable[..., Any]:
    def direction(g: np.ndarray, state: Arrays, t: int) -> Any:
        rest = list(state)
        new = [ALPHA * rest.pop(0) + (1 - ALPHA) * g**2]
        old_momentum = rest.pop(0) if momentum else None
        variance = new[0]
        if centered:
            average = ALPHA * rest.pop(0) + (1 - ALPHA) * g
            variance = variance - average**2
        below = np.sqrt(np.maximum(variance, 0.0)) + EPSILON
        u = g / below
        if momentum:
            u = momentum * old_momentum + u
            new.append(u)
        return u, below, [*new, average] if centered else new

    return direction


def lion(g: np.ndarray, state: Arrays, t: int) -> Any:
    u = np.sign(BETAS[0] * state[0] + (1 - BETAS[0]) * g)
    return u, 1.0, [BETAS[1] * state[0] + (1 - BETAS[1]) * g]


RMSPROP = {"alpha": ALPHA, "epsilon": EPSILON}
MOVING = {"momentum": MOMENTUM}
BETA = 0.3

UPDATES = {
    row.name: row
    for row in (
        Update("proximal_step", "proximal_step", (), no_direction),
        Update("sgd", "sgd_update", (), sgd),
        Update("heavy_ball", "sgd_update", ("momentum_buffer",), heavy_ball, MOVING),
        Update(
            "nesterov", "sgd_update", ("momentum_buffer",), nesterov, MOVING | {"nesterov": True}
        ),
        Update(
            "adamw",
            "adamw_update",
            ("first_moment", "second_moment"),
            adam,
            {"betas": BETAS, "epsilon": EPSILON},
            adaptive=True,
            counts=True,
        ),
        Update("adagrad", "adagrad_update", ("accumulator",), adagrad, {"epsilon": EPSILON}, True),
        *(
            Update(
                "rmsprop" + "_centered" * centered + "_momentum" * (momentum > 0),
                "rmsprop_update",
                ("square_average",)
                + ("momentum_buffer",) * (momentum > 0)
                + ("gradient_average",) * centered,
                rmsprop(momentum, centered),
                RMSPROP | MOVING if momentum else RMSPROP,
                adaptive=True,
            )
            for momentum in (0.0, MOMENTUM)
            for centered in (False, True)
        ),
        Update("lion", "lion_update", ("momentum_buffer",), lion, {"betas": BETAS}),
        Update("ftrl", "ftrl_update", ("linear", "accumulator"), no_direction, {"beta": BETA}),
    )
}


def ftrl(w: np.ndarray, g: np.ndarray, state: Arrays, l1: float, l2: float) -> Any:
    z, a = state
    sigma = (np.sqrt(a + g**2) - np.sqrt(a)) / LR
    z, a = z + g - sigma * w, a + g**2
    below = (BETA + np.sqrt(a)) / LR + 2 * l2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / below), [z, a]


def elastic_net(w: np.ndarray, l1: float, l2: float, size: Any) -> np.ndarray:
    """Return the minimizer of ½(z - w)² + size·(l1·abs(z) + l2·z²)."""
    shrunk = np.copysign(np.maximum(np.abs(w) - (size * l1 if l1 else 0.0), 0.0), w)
    return shrunk / (1 + 2 * size * l2 if l2 else 1.0) + 0.0


def expected(
    row: Update,
    w: np.ndarray,
    gradient: np.ndarray | None,
    state: Arrays,
    iteration: int = 1,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    decay: str = "decoupled",
    cautious: bool = False,
    toward: np.ndarray | None = None,
    prox_step: str = "adaptive",
    grad_scale: float = 1.0,
) -> tuple[np.ndarray, Arrays]:
    """Return the new weights and state, in float64; the arguments stay as they are."""
    with np.errstate(all="ignore"):
        w, state = w.astype(np.float64), [s.astype(np.float64) for s in state]
        g = np.zeros_like(w) if gradient is None else gradient.astype(np.float64) * grad_scale
        if row.function == "ftrl_update":
            return ftrl(w, g, state, l1, l2)
        target = np.zeros_like(w) if toward is None else toward.astype(np.float64)
        distance = w - target
        if decay == "coupled" and weight_decay:
            g = g + weight_decay * distance
        u, below, state = row.direction(g, state, iteration)
        rate = {"coupled": 0.0, "decoupled": row.lr, "full": 1.0}[decay] * weight_decay
        if rate:
            spared = cautious & (np.sign(u) * np.sign(distance) == -1)
            w = np.where(spared, w, target + (1 - rate) * distance)
        size = row.lr / below if row.adaptive and prox_step == "adaptive" else row.lr
        return elastic_net(w - row.lr * u, l1, l2, size), state


STRENGTHS = ({}, {"l1": 0.4}, {"l2": 0.7}, {"l1": 0.2, "l2": 0.3})


def combinations(row: Update) -> list[dict[str, Any]]:
    """Return every combination of the keywords that a row takes; toward is True or None."""
    if row.function == "ftrl_update":
        choices: list[tuple[dict[str, Any], ...]] = [STRENGTHS, ({}, {"grad_scale": -0.5})]
    else:
        choices = [STRENGTHS, ({}, {"weight_decay": 0.6}), ({}, {"toward": True})]
    if row.regularized:
        choices += [
            tuple({"decay": decay} for decay in ("coupled", "decoupled", "full")),
            ({}, {"cautious": True}),
            ({}, {"grad_scale": -0.5}),
        ]
    if row.adaptive:
        choices += [({"prox_step": "scalar"}, {"prox_step": "adaptive"})]
    return [{k: v for part in parts for k, v in part.items()} for parts in product(*choices)]


RICH = {"l1": 0.2, "l2": 0.3, "weight_decay": 0.6, "cautious": True, "grad_scale": 0.5}


def rich(row: Update) -> dict[str, Any]:
    """Return keywords that make a row do all that it can."""
    if row.regularized:
        return RICH
    taken = ("l1", "l2", "grad_scale") if row.function == "ftrl_update" else list(RICH)[:3]
    return {name: RICH[name] for name in taken}
