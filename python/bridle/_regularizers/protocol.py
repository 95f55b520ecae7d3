"""What every regularizer has, and whatever takes one asks for."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray


@runtime_checkable
class Regularizer(Protocol):
    r"""What weights cost, and how a step lowers that: a function with its proximal operator.

    .. math:: \operatorname{prox}(w, \eta) = \arg\min_z \tfrac12 \|z - w\|^2 + \eta\,R(z)

    All regularizers of this package follow this protocol, and so does any class with its three
    members; nothing has to be inherited. ``value`` gives R(w) as one float: for a set, 0.0 inside
    and infinity outside. ``prox`` returns a new array, or ``out``, which may be ``w`` itself, with
    the result written to it. ``is_convex`` is True where R is convex.

    See Also
    --------
    L1 : The best known of them.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> class AtLeast:
    ...     is_convex = True
    ...     def __init__(self, least):
    ...         self.least = least
    ...     def value(self, w):
    ...         return 0.0 if np.all(w >= self.least) else np.inf
    ...     def prox(self, w, step=1.0, out=None):
    ...         return np.maximum(w, self.least, out=out)
    >>> isinstance(AtLeast(0.5), br.Regularizer)
    True
    """

    def value(self, w: NDArray[Any], /) -> float:
        """Return what the weights cost."""

    def prox(self, w: NDArray[Any], step: float = 1.0, out: NDArray[Any] | None = None) -> Any:
        """Return the minimizer of half the squared distance from ``w`` plus step times value."""

    @property
    def is_convex(self) -> bool:
        """Whether the value is a convex function of the weights."""
