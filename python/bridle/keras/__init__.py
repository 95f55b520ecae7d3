"""Early stopping for Keras 3, regularizers and constraints for it on PyTorch; import it explicitly.

Penalties, derivatives and projections are those of bridle's objects and functions. Models that have
them are saved and loaded like others, where this module has been imported. Keras is needed for this
module alone.
"""

from bridle.keras._classes import Constraint, Regularizer
from bridle.keras._stopping import EarlyStopping

__all__ = ["Constraint", "EarlyStopping", "Regularizer", "constraint", "regularizer"]

regularizer = Regularizer
constraint = Constraint
