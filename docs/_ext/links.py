"""Code in the text that begins with a public name is a link to its page.

So guides need no markup for it: ``prox_mcp(x, strength, gamma)`` in a table leads to prox_mcp, and
the page of prox_mcp names the guides that speak of it. In docstrings single backticks are
references; those of parameters and of other libraries lead nowhere.
"""

import inspect
import re
from pathlib import Path

import families
import pictures
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform

ADAPTERS = "|".join(module.partition(".")[2] for module in families.ADAPTERS)
NAME = re.compile(rf"(?:br\.|bridle\.)?((?:(?:{ADAPTERS})\.)?[A-Za-z_]\w*)")
GALLERY = re.compile(r"\]\(\.\./examples/gallery/(?:(\w+)\.py)?\)")
EVERY = [f"{module}.{name}" for _, module, names in families.families() for name in names]
BEFORE = {  # of names that two modules have, the one of bridle itself
    **{name.rpartition(".")[2]: name for name in reversed(EVERY)},
    **{name.partition(".")[2]: name for name in EVERY},
}


def target_of(code):
    """Return the name that code begins with: itself, a call, or a member of a class; else None."""
    found = NAME.match(code)
    if not found or code[found.end() :].startswith("="):
        return None
    if code[found.end() :].startswith(".") and not found[1][0].isupper():
        return None
    return BEFORE.get(found[1])


def guides():
    """Return the names that each guide of the contents speaks of."""
    folder = Path(__file__).parents[1]
    names = (folder / "guides.md").read_text("utf-8").split()
    texts = {n: path.read_text("utf-8") for n in names if (path := folder / f"{n}.md").exists()}
    codes = {n: re.findall(r"`([^`\n]+)`|\b(br\.\w+)", text) for n, text in texts.items()}
    return {n: {target_of(one or other) for one, other in found} for n, found in codes.items()}


GUIDES = guides()


class LinkNames(SphinxTransform):
    """Turn such code into a reference."""

    default_priority = 200

    def apply(self, **kwargs):
        in_docstrings = self.env.docname.startswith("api/")
        for literal in list(self.document.findall(nodes.literal)):
            target = target_of(literal.astext())
            if target is None or isinstance(literal.parent, nodes.reference | pending_xref):
                continue
            if in_docstrings and not literal.astext().startswith("br."):
                continue  # mostly a parameter that has the name of a function
            reference = pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=target,
                refwarn=True,
                refexplicit=True,
                refdoc=self.env.docname,
            )
            literal.replace_self(reference)
            reference += literal


def _elsewhere(app, env, node, contnode):
    """Resolve a name of the package in the page of an adapter; show what is no name as code."""
    if node.get("refdomain") != "py" or node["reftarget"].startswith("bridle."):
        return None
    if target := BEFORE.get(node["reftarget"]):
        domain = env.get_domain("py")
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)
    return contnode


def _in_docstrings(app, what, name, obj, options, lines):
    """Leave parameters with the name of a function without a link, and name the guides."""
    if callable(obj):
        try:
            parameters = "|".join(inspect.signature(obj).parameters)
        except (TypeError, ValueError):
            parameters = ""
        if parameters:
            single = re.compile(rf"(?<!`)`({parameters})`(?!`)")
            lines[:] = [single.sub(r"``\1``", line) for line in lines]
    if what in ("class", "function"):
        lines += _see_guides(name)


def _see_guides(name):
    """Return lines that name the guides that speak of a name, its class or its other function."""
    example = pictures.DRAWN.get(name.removeprefix("bridle."))
    alike = {f"bridle.{n}" for n, other in pictures.DRAWN.items() if type(other) is type(example)}
    found = [guide for guide, names in GUIDES.items() if names & {name, *alike}]
    items = [f"- :doc:`/{guide}`" for guide in found]
    return ["", ".. rubric:: In the guides", "", *items, ""] if items else []


def _within_the_site(app, docname, source):
    """Let links to the gallery lead to its pages, and to other files of the repository to copies.

    A link that has the name of a file for its text gets the title of the page.
    """
    text = GALLERY.sub(lambda found: f"](gallery/{found[1] or 'index'}.rst)", source[0])
    text = re.sub(r"\]\((\.\./[^)]+\.\w+)\)", r"](path:\1)", text)
    source[0] = re.sub(r"\[([\w-]+\.md)\]\(\1\)", r"[](\1)", text)


def setup(app):
    app.connect("source-read", _within_the_site)
    app.connect("missing-reference", _elsewhere)
    app.connect("autodoc-process-docstring", _in_docstrings, priority=920)
    app.add_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
