"""Objects of every class, with the shape of weights that they are for."""

import numpy as np

import bridle as br

from .rows import ROWS

GROUPS = (
    {},
    {"axis": 0, "weights": [0.5, 2.0, 0.0]},
    {"axis": (0, 1)},
    {"offsets": [0, 2, 2, 6], "weights": [1.5, 1.0, 0.7]},
    {"labels": [1, 0, -1, 1, 0, 3], "weights": [0.5, 1.0, 2.0, 1.0, 3.0]},
)


def of_groups(cls, *numbers):
    """Return objects with each way to say what a group is."""
    for options in GROUPS:
        one_axis = "offsets" in options or "labels" in options
        yield cls(*numbers, **options), (6,) if one_axis else (4, 3)


def of_vectors(cls, *numbers, **named):
    yield cls(*numbers, **named), (6,)
    yield cls(*numbers, **named, axis=0), (6, 2)


ELEMENTWISE = [
    *((row.make(), (6,)) for row in ROWS.values()),
    *((row.make(**row.spread(6, np.float64)), (2, 6)) for row in ROWS.values() if row.sample),
]
SLICES = [
    *of_groups(br.GroupL2, 0.7),
    *of_groups(br.SparseGroup, 0.3, 0.7),
    *of_groups(br.GroupLinf, 0.7),
    *of_groups(br.GroupMCP, 0.7, 2.5),
    *of_groups(br.GroupSCAD, 0.7, 3.7),
    *of_vectors(br.L2Norm, 0.7),
    *of_vectors(br.LinfNorm, 0.7),
    *of_vectors(br.Slope, [0.9, 0.6, 0.6, 0.3, 0.0, 0.0]),
    *of_vectors(br.TotalVariation, 0.7),
    (br.Nuclear(0.7), (2, 4, 3)),
    *of_vectors(br.Simplex, 0.7),
    *of_vectors(br.L1Ball, 0.7),
    *of_vectors(br.L2Ball, 0.7),
    *of_vectors(br.LinfBall, 0.7),
    *of_vectors(br.L0Ball, 3),
]
EVERY = [*ELEMENTWISE, *SLICES]


def named(pairs):
    """Return the arguments with which pytest names tests by the objects."""
    return {"argvalues": pairs, "ids": [f"{type(r).__name__}{shape}" for r, shape in pairs]}
