"""Formulas as MathML, which browsers show without a script: the site needs no network.

docutils brings the translation along.
"""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

FRACTION = re.compile(r"\\[td]?frac\s*(\d)\s*(\d)")
BAR = re.compile(r"<mo(?: stretchy=\"false\")?>([|∥‖])</mo>")


def _mathml(node, as_block):
    """Return a formula, with what docutils does not know said in other words."""
    text = node.astext().strip().replace(r"\dots", r"\ldots")
    text = FRACTION.sub(r"\\frac{\1}{\2}", text)
    if r"\\" in text and r"\begin" not in text.split(r"\\")[0]:
        text = rf"\begin{{aligned}} {text} \end{{aligned}}"
    bar = r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'  # of a modulus, not a relation
    return BAR.sub(bar, tex2mathml(text, as_block=as_block))


def _visit_inline(writer, node):
    writer.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def _visit_block(writer, node):
    writer.body.append(f'<div class="math">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
