"""The classes that Keras' layers take."""

from __future__ import annotations

from typing import Any, Self

import keras

from bridle._call import shown
from bridle.keras._config import decoded, encoded


def check_backend(owner: str) -> None:
    """Check that Keras computes with the tensors that are known here."""
    backend = keras.backend.backend()
    if backend != "torch":
        raise RuntimeError(
            f"{owner}: the backend of Keras must be PyTorch (KERAS_BACKEND=torch), got {backend!r}"
        )


def has_functions(value: Any, *names: str) -> bool:
    """Whether an object, which is no class, has members that can be called."""
    return not isinstance(value, type) and all(callable(getattr(value, n, None)) for n in names)


@keras.saving.register_keras_serializable("bridle")
class Regularizer(keras.Regularizer):
    """A regularizer object as a penalty that Keras adds to the loss; also ``keras.regularizer``.

    Its derivative is the object's ``subgradient``: that of `L1` is the sign, 0 at zero. As with
    Keras' own regularizers, weights come near zero and seldom to zero: `Constraint` and
    `bridle.proximal_step` give exact zeros.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `bridle.L1`, or of any class with ``value(w)`` and ``subgradient(w)``. To
        be saved, a class of your own has ``get_config``, and is registered with
        ``keras.saving.register_keras_serializable``.

    Raises
    ------
    TypeError
        If it is no such object.
    RuntimeError
        If the backend of Keras is not PyTorch.

    See Also
    --------
    Constraint : For sets.

    Examples
    --------
    >>> import keras
    >>> import bridle as br
    >>> import bridle.keras
    >>> layer = keras.layers.Dense(64, kernel_regularizer=br.keras.regularizer(br.L1(0.01)))
    >>> layer.kernel_regularizer
    Regularizer(L1(strength=0.01))
    """

    def __init__(self, regularizer: Any) -> None:
        check_backend("Regularizer")
        if not has_functions(regularizer, "value", "subgradient"):
            raise TypeError(
                "Regularizer: regularizer must have value(w) and subgradient(w), "
                f"got {shown(regularizer)}"
            )
        self.regularizer = regularizer

    def __call__(self, x: Any) -> Any:
        """Return the penalty of a tensor, as a tensor of its type, or float32 for a half type."""
        from bridle.keras._tensors import penalty  # which imports PyTorch

        return penalty(self.regularizer, keras.ops.convert_to_tensor(x))

    def __repr__(self) -> str:
        return f"Regularizer({self.regularizer!r})"

    def get_config(self) -> dict[str, Any]:
        """Return the class and the parameters of the object."""
        return {"regularizer": encoded(self.regularizer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return what a configuration describes."""
        return cls(decoded(config["regularizer"]))


@keras.saving.register_keras_serializable("bridle")
class Constraint(keras.constraints.Constraint):
    """What becomes of weights after each update in Keras; also ``keras.constraint``.

    Parameters
    ----------
    projection : Regularizer or callable
        A set, such as `bridle.NonNegative` or `bridle.Box`, to which the weights are projected; of
        any other regularizer it is the proximal operator, with a step of 1. Or a function of an
        array, such as `bridle.project_simplex` or `bridle.max_norm`.
    **parameters
        Further arguments of the function, by name.

    Raises
    ------
    TypeError
        If it is neither.
    RuntimeError
        If the backend of Keras is not PyTorch.

    See Also
    --------
    Regularizer : A penalty, which is added to the loss.

    Examples
    --------
    >>> import keras
    >>> import bridle as br
    >>> import bridle.keras
    >>> layer = keras.layers.Dense(
    ...     64,
    ...     kernel_constraint=br.keras.constraint(br.project_l1_ball, radius=3.0, axis=0),
    ...     bias_constraint=br.keras.constraint(br.NonNegative()),
    ... )
    >>> layer.kernel_constraint
    Constraint(project_l1_ball, radius=3.0, axis=0)
    """

    def __init__(self, projection: Any, **parameters: Any) -> None:
        check_backend("Constraint")
        self._apply = projection.prox if has_functions(projection, "prox") else projection
        if isinstance(projection, type) or not callable(self._apply):
            raise TypeError(
                "Constraint: projection must be a function of an array, or have prox(w), "
                f"got {shown(projection)}"
            )
        if self._apply is not projection and parameters:
            raise TypeError(
                "Constraint: parameters must be those of a function, got "
                f"{', '.join(parameters)} with {shown(projection)}"
            )
        self.projection, self.parameters = projection, parameters

    def __call__(self, w: Any) -> Any:
        """Return new weights for a tensor of weights."""
        from bridle.keras._tensors import mapped  # which imports PyTorch

        tensor = keras.ops.convert_to_tensor(w)
        return mapped(lambda array: self._apply(array, **self.parameters), tensor)

    def __repr__(self) -> str:
        name = getattr(self.projection, "__name__", None) or repr(self.projection)
        given = (f"{key}={value!r}" for key, value in self.parameters.items())
        return f"Constraint({', '.join((name, *given))})"

    def get_config(self) -> dict[str, Any]:
        """Return the set or the function, and the parameters."""
        parameters = {name: encoded(value) for name, value in self.parameters.items()}
        return {"projection": encoded(self.projection), "parameters": parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return what a configuration describes."""
        given = {name: decoded(value) for name, value in config["parameters"].items()}
        return cls(decoded(config["projection"]), **given)
