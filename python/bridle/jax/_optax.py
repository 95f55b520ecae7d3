"""The proximal step of an optimizer of optax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from bridle._call import non_negative
from bridle._extras import missing
from bridle.jax._arrays import check_real
from bridle.jax._elementwise import prox_elastic_net


def proximal(l1: Any = 0.0, l2: Any = 0.0, *, learning_rate: Any = 1.0) -> Any:
    r"""Regularize by L1 and L2 after the updates before it: weights become exactly zero.

    A transformation for the end of ``optax.chain``. With the updates :math:`u` before it, weights
    become

    .. math:: w \leftarrow \operatorname{prox\_elastic\_net}(w + u, \lambda_1, \lambda_2, \eta)

    as in `bridle.proximal_step`: the penalty :math:`\lambda_1 \sum |w| + \lambda_2 \sum w^2` is not
    part of the loss, whose gradient would not lead to zeros.

    optax adds what this gives to the weights: :math:`y - w`, rounded, for the new weights
    :math:`y`. Where :math:`y = 0` that is :math:`-w`, and the sum is +0.0 exactly. Elsewhere the
    sum is :math:`y` within one rounding of the subtraction and one of the addition, as with any
    update; it is :math:`y` exactly where the step neither doubles the weight nor more than halves
    it.

    Parameters
    ----------
    l1, l2 : float or array, default 0.0
        :math:`\lambda_1, \lambda_2 \ge 0`; they multiply the plain sums, without a factor ½.
    learning_rate : float, array or schedule, default 1.0
        :math:`\eta \ge 0`, that of the optimizer before it, which does not tell: a number, or a
        function of the number of updates before. With 1.0, the strengths are for each update as
        they are. For adaptive optimizers it is the same step for all elements.

    Returns
    -------
    optax.GradientTransformation
        Its ``update`` needs the weights. Its state is that of ``optax.scale_by_schedule`` if the
        learning rate is a schedule, else empty.

    Raises
    ------
    ValueError, TypeError
        If a number is negative or NaN, or none; what JAX traces, and what a schedule gives, are
        checked when the program runs, as in `soft_threshold`.
    ImportError
        If optax is not installed.

    See Also
    --------
    prox_elastic_net : What is done with each array.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import optax
    >>> import bridle.jax
    >>> optimizer = optax.chain(
    ...     optax.sgd(0.1), bridle.jax.proximal(l1=0.5, learning_rate=0.1)
    ... )
    >>> weights = jnp.array([0.30, -0.02, 0.01])
    >>> state = optimizer.init(weights)
    >>> updates, state = optimizer.update(jnp.zeros(3), state, weights)
    >>> optax.apply_updates(weights, updates)
    Array([0.25, 0.  , 0.  ], dtype=float32)

    Some of the weights only, as biases should stay:

    >>> transformation = optax.masked(
    ...     bridle.jax.proximal(l1=0.5, learning_rate=0.1), {"kernel": True, "bias": False}
    ... )
    """
    try:
        import optax
    except ModuleNotFoundError as error:
        raise missing("proximal", "", "optax", "jax") from error

    is_scheduled = callable(learning_rate)
    for name, value in (("l1", l1), ("l2", l2), ("learning_rate", learning_rate)):
        if name != "learning_rate" or not is_scheduled:
            _check(name, value)

    def init(params: Any) -> Any:
        if is_scheduled:
            return optax.ScaleByScheduleState(count=jnp.zeros([], jnp.int32))
        return optax.EmptyState()

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if params is None:
            raise ValueError("proximal: update must be given the weights, got params=None")
        step = learning_rate(state.count) if is_scheduled else learning_rate

        def difference(u: Any, w: Any) -> Any:
            return None if u is None else prox_elastic_net(w + u, l1, l2, step) - w

        changed = jax.tree.map(difference, updates, params, is_leaf=lambda u: u is None)
        if is_scheduled:
            state = optax.ScaleByScheduleState(count=optax.safe_increment(state.count))
        return changed, state

    return optax.GradientTransformation(init, update)


def _check(parameter: str, value: Any) -> None:
    if isinstance(value, jax.Array):
        check_real("proximal", parameter, value, "a real number")
    else:
        non_negative("proximal", parameter, value)
