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
PARTS = [(slice(0, 2), br.L1(0.4)), ([3, -1], br.L2Norm(0.6)), (slice(4, 5), br.MCP(0.5, 2.0))]
REFERENCE = np.array([0.5, -1.0, 0.0, 0.0, 2.0, 0.3])
MADE = [
    (br.Scaled(br.SCAD(0.7, 3.7), 0.4), (6,)),
    (br.Scaled(br.GroupL2(0.7), 0.4), (4, 3)),
    (br.LinfNorm(0.7) + br.L2(0.3), (2, 6)),
    (br.L2(0.3) + br.Simplex(2.0), (6,)),
    (br.L2([0.0, 0.2, 1.0, 0.3, 0.4, 0.5]) + br.MCP(0.7, 2.5), (6,)),
    (br.NonNegative() + br.ElasticNet(0.3, 0.2), (6,)),
    (br.SeparableSum(PARTS), (6,)),
    (br.SeparableSum([(slice(None, None, 2), br.L1(0.4)), ([1], br.Nuclear(0.5))]), (3, 4, 2)),
    (br.SeparableSum([(slice(1, None), br.NonNegative())]), (6,)),
    (br.Translated(br.L1(0.7), REFERENCE), (2, 6)),
    (br.Translated(br.L2(0.7), 0.5), (6,)),
    (br.Translated(br.L2Ball(0.7), REFERENCE), (6,)),
    (br.MoreauEnvelope(br.L1(0.7), 0.5), (6,)),
    (br.MoreauEnvelope(br.TotalVariation(0.7), 0.5), (6,)),
    (br.MoreauEnvelope(br.L2Ball(0.7), 0.5), (6,)),
    (br.MoreauEnvelope(br.L2SP(REFERENCE, 0.7), 0.5), (6,)),
    (br.Conjugate(br.L1(0.7)), (6,)),
    (br.Conjugate(br.L2(0.7)), (6,)),
    (br.Conjugate(br.ElasticNet(0.3, 0.7)), (6,)),
    (br.Conjugate(br.NonNegativeL1(0.3)), (6,)),
    (br.Conjugate(br.NonNegative()), (6,)),
    (br.Conjugate(br.L2Norm(0.7)), (6,)),
    (br.Conjugate(br.GroupLinf(0.7, axis=(0, 1))), (4, 3)),
    (br.Conjugate(br.LinfBall(0.7)), (6,)),
    (br.Conjugate(br.L1Ball(0.7, axis=0)), (6, 2)),
    (br.Conjugate(br.Conjugate(br.L2Ball(0.8))), (6,)),
]
EVERY = [*ELEMENTWISE, *SLICES, *MADE]


def named(pairs):
    """Return the arguments with which pytest names tests by the objects."""
    return {"argvalues": pairs, "ids": [f"{type(r).__name__}{shape}" for r, shape in pairs]}
