"""What becomes of Dask arrays in the functions of bridle: a rule for each kind of function.

The shared functions of bridle call them by name, with arguments that are checked as far as they are
known; each block is then given to the function itself.
"""

from bridle.dask._elementwise import elementwise
from bridle.dask._matrices import of_matrix, shrunk_matrices, top_k, total_of_matrices
from bridle.dask._noise import check_place, masked, noise, samples
from bridle.dask._norms import clip_scale, global_norm
from bridle.dask._penalties import penalty, penalty_of_list
from bridle.dask._slices import measured, slices

__all__ = [
    "check_place",
    "clip_scale",
    "elementwise",
    "global_norm",
    "masked",
    "measured",
    "noise",
    "of_matrix",
    "penalty",
    "penalty_of_list",
    "samples",
    "shrunk_matrices",
    "slices",
    "top_k",
    "total_of_matrices",
]
