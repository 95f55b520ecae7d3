"""Code in the text that begins with a public name is a link to its page.

So guides need no markup for it: ``prox_mcp(x, strength, gamma)`` in a table leads to prox_mcp. In
docstrings single backticks are references; those of parameters and of other libraries lead nowhere.
"""

import re

import families
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform

NAME = re.compile(r"(?:br\.|bridle\.)?((?:(?:torch|keras|sklearn)\.)?[A-Za-z_]\w*)")
GALLERY = re.compile(r"\]\(\.\./examples/gallery/(?:(\w+)\.py)?\)")
EVERY = [f"{module}.{name}" for _, module, names in families.families() for name in names]
BEFORE = {  # of names that two modules have, the one of bridle itself
    **{name.rpartition(".")[2]: name for name in reversed(EVERY)},
    **{name.partition(".")[2]: name for name in EVERY},
}


def _is_whole(found):
    """Return whether what follows a name leaves it one: a call, or a member of a class."""
    rest = found.string[found.end() :]
    return not rest.startswith("=") and (rest[:1] != "." or found[1][0].isupper())


class LinkNames(SphinxTransform):
    """Turn such code into a reference."""

    default_priority = 200

    def apply(self, **kwargs):
        for literal in list(self.document.findall(nodes.literal)):
            found = NAME.match(literal.astext())
            target = BEFORE.get(found[1]) if found and _is_whole(found) else None
            if target is None or isinstance(literal.parent, nodes.reference | pending_xref):
                continue
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
    app.add_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
