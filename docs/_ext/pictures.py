"""A picture of penalty and proximal operator in the docstring of each name that has them.

``bridle.plot_regularizer`` draws them while the site is built, into ``_pictures``.
"""

import re
from pathlib import Path

import families
import matplotlib
import numpy as np
from sphinx.util import logging

import bridle as br

logger = logging.getLogger(__name__)

EXAMPLES = [
    *(br.L1(1.0), br.L2(0.5), br.ElasticNet(0.5, 0.5), br.L0(1.0), br.LHalf(1.0)),
    *(br.LTwoThirds(1.0), br.LogSum(1.0, 0.5), br.MCP(1.0, 2.0), br.SCAD(0.7, 3.0)),
    *(br.Huber(1.0, 1.0), br.L2SP(1.0, 0.5), br.NonNegativeL1(1.0), br.NonNegativeL2(0.5)),
    *(br.NonNegative(), br.Box(-1.0, 2.0), br.Nuclear(1.0)),
    *(br.GroupL2(1.0), br.SparseGroup(0.5, 0.5), br.GroupLinf(1.0)),
    *(br.GroupMCP(1.0, 2.0), br.GroupSCAD(0.7, 3.0), br.L2Norm(1.0), br.LinfNorm(1.0)),
    *(br.Slope([1.5, 0.5]), br.TotalVariation(1.0), br.Simplex(1.0)),
    *(br.L1Ball(2.0), br.L2Ball(2.0), br.LinfBall(2.0), br.L0Ball(1)),
]
BESIDE = [0.0, 1.0]
"""Weights of which the first varies, where a regularizer sees several together."""
ALSO = {
    "soft_threshold": br.L1(1.0),
    "hard_threshold": br.L0(0.5),
    "firm_threshold": br.MCP(1.0, 2.0),
    "prox_nuclear": br.Nuclear(1.0),
    "nuclear_penalty": br.Nuclear(1.0),
}
"""Functions that no class names."""


def _drawn():
    """Return the example for each name of a class or function."""
    found = dict(ALSO)
    for example in EXAMPLES:
        cls = type(example)
        parts = (getattr(cls, part, None) for part in ("_prox", "_operator", "_penalty"))
        names = (getattr(part, "operator", part) for part in parts)
        for name in (cls.__name__, *names):
            if isinstance(name, str):
                found.setdefault(name, example)
    return found


DRAWN = _drawn()


def _at(example):
    """Return the weights of which one varies, or None where each is by itself."""
    if isinstance(example, br.Nuclear):
        return np.diag(BESIDE)
    return BESIDE if hasattr(example, "axis") else None


def _draw(example, path):
    """Draw an example that has not been drawn yet."""
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    figure = br.plot_regularizer(example, at=_at(example))
    with matplotlib.rc_context({"svg.hashsalt": "bridle"}):
        figure.savefig(path, metadata={"Date": None})


def _add(app, what, name, obj, options, lines):
    """Put the picture behind the text, before the parameters."""
    short = name.rpartition(".")[2]
    if what not in ("class", "function") or short not in DRAWN:
        return
    example = DRAWN[short]
    shown = repr(example)
    file = re.sub(r"[^\w.=]+", "-", shown).strip("-") + ".svg"
    _draw(example, Path(app.srcdir) / "_pictures" / file)
    picture = [
        f".. image:: /_pictures/{file}",
        f"   :alt: penalty, Moreau envelope and proximal operator of {shown}",
        "",
    ]
    if _at(example) is not None:
        picture += ["In the picture one of two weights varies, and the other one is 1.", ""]
    starts = (":Parameters:", ":param", ":Returns:", ".. rubric::")
    place = next((i for i, line in enumerate(lines) if line.startswith(starts)), len(lines))
    lines[place:place] = picture


def _complain(app):
    """Warn of regularizers that nobody has given an example."""
    for name in families.of_package()["Regularizers as objects"]:
        if name not in DRAWN and name != "Regularizer":
            logger.warning("%s: no entry in EXAMPLES of docs/_ext/pictures.py", name)


def setup(app):
    app.connect("builder-inited", _complain)
    app.connect("autodoc-process-docstring", _add, priority=900)  # numpydoc comes before
    return {"parallel_read_safe": True, "parallel_write_safe": True}
