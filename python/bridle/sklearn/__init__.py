"""Linear models with any regularizer in scikit-learn's manner; import it explicitly.

scikit-learn is needed for this module alone.
"""

from bridle.sklearn._cross_validation import ProxClassifierCV, ProxRegressorCV
from bridle.sklearn._estimators import ProxClassifier, ProxRegressor
from bridle.sklearn._path import Path, regularization_path

__all__ = [
    "Path",
    "ProxClassifier",
    "ProxClassifierCV",
    "ProxRegressor",
    "ProxRegressorCV",
    "regularization_path",
]
