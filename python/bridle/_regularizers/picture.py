"""What a regularizer does to one weight, in a small figure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._call import counter, number, real_array, shown
from bridle._extras import missing
from bridle._regularizers.base import checked
from bridle._regularizers.protocol import Regularizer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_regularizer"]

NAME = "plot_regularizer"
PLACES = 401
"""So many weights are drawn on each side of zero, or in all where that is not in the picture."""
LEAST_JUMP = 0.01
"""Share of the height of a curve: smaller jumps are not looked for."""
NARROWEST = 1e-12
"""Share of the width of a curve: what still differs within it is a jump."""

Values: TypeAlias = NDArray[np.float64]
Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = NDArray[np.float64]
"""Weights in the first row, heights in the second one."""


def plot_regularizer(
    regularizer: Regularizer,
    *,
    step: float = 1.0,
    limits: tuple[float, float] = (-3.0, 3.0),
    at: ArrayLike | None = None,
    index: int = 0,
    axes: Sequence[Axes] | NDArray[Any] | None = None,
) -> Figure:
    r"""Draw a regularizer as a function of one weight: penalty, Moreau envelope, proximal operator.

    .. math:: R(w), \qquad \min_z R(z) + \frac{1}{2 \eta} \|z - w\|_2^2, \qquad
        \operatorname{prox}_{\eta R}(w)

    The first picture shows what the weight costs, and the envelope below that; the second one where
    a proximal step takes the weight. Jumps are gaps, and a dot shows what holds at a single weight.
    Where the penalty is infinite, outside a set, the picture is shaded.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `L1`, or one of any class with ``value`` and ``prox``.
    step : float
        :math:`\eta > 0`, finite.
    limits : tuple of float
        The smallest and the largest weight.
    at : array_like, optional
        Weights of which one varies, while the others stay as they are. By default there is no other
        one. `TotalVariation` costs nothing then: give it ``[0, 0]``. Regularizers with parameters
        for each weight need weights for all of them.
    index : int
        The place of the weight that varies, in ``at`` as a flat array.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure, of which ``matplotlib.pyplot`` does not know.

    Returns
    -------
    matplotlib.figure.Figure
        The figure that was drawn in, with the method ``savefig``. Notebooks show it after
        ``%matplotlib inline``.

    Raises
    ------
    ImportError
        Without Matplotlib, which ``pip install "bridle[plot]"`` installs.
    TypeError, ValueError
        If an argument is of the wrong type or out of its range, or the regularizer does not take
        such weights.
    NotImplementedError
        If the regularizer has no value or no proximal operator.

    See Also
    --------
    MoreauEnvelope : The envelope as a regularizer, of what is convex.

    Examples
    --------
    >>> import bridle as br
    >>> figure = br.plot_regularizer(br.MCP(1.0, gamma=2.0))
    >>> costs, moves = figure.axes
    >>> [line.get_label() for line in costs.lines]
    ['penalty', 'envelope']
    >>> figure = br.plot_regularizer(br.TotalVariation(0.5), at=[0.0, 0.0])
    """
    varied = _Varied(checked(NAME, "regularizer", regularizer), step, at, index)
    places = _places(limits)
    pair = None if axes is None else _checked_axes(axes)
    varied.check()
    new_figure = _figure_class()
    prox = _sampled(varied.prox, places)
    penalty = _sampled(varied.penalty, _places_inside(varied, places, prox))
    envelope = _sampled(varied.envelope, places)
    if pair is None:
        figure = new_figure(figsize=(6.4, 2.8), layout="constrained")
        title = textwrap.fill(f"{_name(regularizer)}, step={varied.step:g}", 72)
        figure.suptitle(title, fontsize="medium", parse_math=False)
        pair = figure.subplots(1, 2)
    _draw_costs(pair[0], penalty, envelope)
    _draw_prox(pair[1], prox)
    for one in pair:
        one.set(xlim=(places[0], places[-1]), xlabel="w" if at is None else f"w[{index}]")
    drawn: Figure = pair[0].figure.figure  # of a part of a figure the whole
    return drawn


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing(NAME, "", "matplotlib", "plot") from None
    return Figure


class _Varied:
    """The functions of a regularizer of which one weight varies."""

    def __init__(self, regularizer: Regularizer, step: Any, at: Any, index: Any) -> None:
        self.regularizer = regularizer
        self.step = number(NAME, "step", step)
        if not 0 < self.step < math.inf:
            raise ValueError(f"{NAME}: step must be > 0 and finite, got {step}")
        self._is_alone = at is None
        given = np.zeros(1) if at is None else real_array(NAME, at, "at")
        if given.size == 0 or not np.isfinite(given).all():
            raise ValueError(f"{NAME}: at must be weights that are finite, got {shown(at)}")
        self._at = given.astype(np.float64)
        self._index = counter(NAME, "index", index, given.size)

    def check(self) -> None:
        """Check that the regularizer takes such weights."""
        try:
            self.prox(0.0)
            self.penalty(0.0)
        except ValueError as error:
            if not self._is_alone:
                raise
            raise ValueError(
                f"{NAME}: at must be given, since the regularizer does not take a single weight: "
                f"{error}"
            ) from None

    def penalty(self, w: float) -> float:
        return float(self.regularizer.value(self._weights(w)))

    def prox(self, w: float) -> float:
        return float(self._near(self._weights(w)).flat[self._index])

    def envelope(self, w: float) -> float:
        weights = self._weights(w)
        near = self._near(weights)
        way = float(np.square(near - weights).sum())
        return float(self.regularizer.value(near)) + way / (2 * self.step)

    def _weights(self, w: float) -> Values:
        weights = self._at.copy()
        weights.flat[self._index] = w
        return weights

    def _near(self, weights: Values) -> Values:
        return np.asarray(self.regularizer.prox(weights, self.step), np.float64)


def _places(limits: Any) -> Values:
    """Return the weights to draw at, zero among them."""
    if not isinstance(limits, Sequence | np.ndarray) or len(limits) != 2:
        raise TypeError(f"{NAME}: limits must be two numbers, got {shown(limits)}")
    low, high = (number(NAME, "limits", limit) for limit in limits)
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"{NAME}: limits must be finite and rising, got {shown(limits)}")
    ends = [low, 0.0, high] if low < 0 < high else [low, high]
    return np.unique([np.linspace(*pair, PLACES) for pair in pairwise(ends)])


def _places_inside(varied: _Varied, places: Values, prox: Curve) -> Values:
    """Return the weights to draw a penalty at: of a set also those to which a step takes others."""
    if np.isfinite([varied.penalty(w) for w in places]).all():
        return places
    inside = prox[1][(prox[1] >= places[0]) & (prox[1] <= places[-1])]
    return np.union1d(places, inside)


def _checked_axes(axes: Any) -> Any:
    given = list(axes) if isinstance(axes, Sequence | np.ndarray) else []
    if len(given) != 2 or not all(hasattr(one, "plot") for one in given):
        raise TypeError(f"{NAME}: axes must be two axes of Matplotlib, got {shown(axes)}")
    return given


def _name(regularizer: Regularizer) -> str:
    own = type(regularizer)
    return own.__name__ if own.__repr__ is object.__repr__ else shown(regularizer)


def _sampled(function: Callable[[float], float], places: Values) -> Curve:
    """Return points of a function, the ends of its jumps among them, with NaN in between."""
    points = [(w, function(w)) for w in places.tolist()]
    heights = np.array([height for _, height in points])
    known = heights[np.isfinite(heights)]
    least = LEAST_JUMP * max(np.ptp(known), 1e-6 * np.abs(known).max()) if known.size else 0.0
    narrow = NARROWEST * (places[-1] - places[0])
    found = points[:1]
    for left, right in pairwise(points):
        found += [*_jump(function, left, right, float(least), float(narrow)), right]
    return np.array(found).T


def _jump(
    function: Callable[[float], float], left: Point, right: Point, least: float, narrow: float
) -> Iterator[Point]:
    """Return the ends of a jump between two points, with NaN between them, if there is one."""
    low, high = left, right
    while _way(low, high) > least and high[0] - low[0] > narrow:
        w = (low[0] + high[0]) / 2
        middle = w, function(w)
        if _way(low, middle) >= _way(middle, high):
            high = middle
        else:
            low = middle
    if not _way(low, high) > least:
        return
    yield from [low] * (low != left)
    yield (low[0] + high[0]) / 2, math.nan
    yield from [high] * (high != right)


def _way(low: Point, high: Point) -> float:
    """Return the distance of two heights, which may be infinite."""
    return 0.0 if low[1] == high[1] else abs(high[1] - low[1])


def _draw_line(axes: Axes, curve: Curve, style: str, label: str) -> None:
    """Draw a curve, with a dot where a point has no neighbour."""
    places, heights = curve
    known, paper = np.isfinite(heights), axes.get_facecolor()
    (line,) = axes.plot(places, np.where(known, heights, math.nan), style, label=label)
    before, after = np.append(False, known[:-1]), np.append(known[1:], False)
    for index in np.flatnonzero(known & ~before & ~after):
        color = line.get_color()
        if 2 <= index < known.size - 2 and known[[index - 2, index + 2]].all():
            for beside in heights[[index - 2, index + 2]]:
                axes.plot(places[index], beside, "o", color=color, markerfacecolor=paper)
        axes.plot(places[index], heights[index], "o", color=color)


def _draw_costs(axes: Axes, penalty: Curve, envelope: Curve) -> None:
    _draw_line(axes, penalty, "-", "penalty")
    _draw_line(axes, envelope, "--", "envelope")
    for span in _infinite(penalty):
        axes.axvspan(*span, color="0.5", alpha=0.15, linewidth=0)
    axes.set(ylabel="cost")
    _name_lines(axes)


def _infinite(curve: Curve) -> Iterator[Point]:
    """Return where a curve is infinite: the ends of each stretch."""
    places, heights = curve[:, ~np.isnan(curve[1])]
    borders = np.flatnonzero(np.diff(np.isposinf(heights), prepend=False, append=False))
    for first, end in borders.reshape(-1, 2):
        yield places[first], places[end - 1]


def _draw_prox(axes: Axes, prox: Curve) -> None:
    ends = prox[0][[0, -1]]
    axes.plot(ends, ends, ":", color="0.5", label="unchanged")
    _draw_line(axes, prox, "-", "prox")
    axes.set(ylabel="after a step")
    _name_lines(axes)


def _name_lines(axes: Axes) -> None:
    """Tell above a picture, where nothing is drawn, what its lines are."""
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=2)
