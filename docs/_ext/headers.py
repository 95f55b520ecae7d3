"""The C and C++ reference: what the public headers declare, below the comments that explain it.

``{header} bridle/updates.hpp`` stands for one of them. The comment of a functor, and the functor,
also go to the page of the Python function of its name.
"""

import re
import textwrap
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

PARTS = re.DOTALL | re.MULTILINE
INCLUDE = Path(__file__).parents[2] / "cpp" / "include"
PRIVATE = re.compile(r"^namespace detail \{.*?^\}  // namespace detail.*?$", PARTS)
GUARDS = re.compile(
    r"^(#ifdef __cplusplus\n.*?#endif|#pragma once|#ifndef \w+_H|#define \w+_H)$",
    PARTS,
)
CLASS = re.compile(r"(?:template .*\n(?:  requires .*\n)?)?(?:struct|class|enum)\b[^;(]*\{")
FUNCTOR = re.compile(
    r"^((?://[^\n]*\n)*)((?:template <[^\n]*>\n)?struct \w+ \{\n"
    r'  static constexpr const char\* name = "(\w+)";\n.*?\n\};)$',
    PARTS,
)


def functors():
    """Return the comment and the text of every functor with a formula, by its function's name."""
    found = {}
    for path in sorted((INCLUDE / "bridle" / "ops").glob("*.hpp")):
        for comment, text, name in FUNCTOR.findall(path.read_text("utf-8")):
            if re.search(r"\) (const )?\{", text):  # others have loops of their own
                found[name] = path.relative_to(INCLUDE), comment + text
    return found


def blocks(text):
    """Return comment and declaration of each part of a header that begins with a comment."""
    text = GUARDS.sub("", PRIVATE.sub("", text))
    while text:
        comment, text = _leading_comment(text)
        if comment is None:
            text = text.partition("\n")[2]
            continue
        declaration, text = _declaration(text)
        yield comment, declaration


def _leading_comment(text):
    """Split off the comment that a text begins with; None if it begins with something else."""
    if found := re.match(r"/\* (.*?) \*/\n", text, re.DOTALL):
        lines = [re.sub(r"^ \* ?", "", line) for line in found[1].split("\n")]
    elif found := re.match(r"(?://.*\n)+", text):
        lines = [re.sub(r"^// ?", "", line) for line in found[0].splitlines()]
    elif re.match(r"(struct|enum|class) \w+ \{", text):
        return "", text
    else:
        return None, text
    return "\n".join(lines), text[found.end() :]


def _declaration(text):
    """Split off what a comment stands above; of a function the head, of a class what is public."""
    if text.startswith("\n") or not text:
        return "", text
    is_class = CLASS.match(text)
    end = re.search(r"^\};$" if is_class else r"(?<!\\)\n\n|\Z", text, re.MULTILINE)
    whole, rest = text[: end.end()].strip("\n"), text[end.end() :]
    if is_class:
        whole = re.sub(r"\n+ private:.*^\};", "\n};", whole, flags=PARTS)
    else:
        whole = re.sub(r" \{$.*?^\}$", ";", whole, flags=PARTS)
        whole = re.sub(r" \{ .* \}$", ";", whole, flags=re.MULTILINE)
    return whole, rest


def paragraphs(comment):
    """Return the nodes of a comment: text, and what is indented as it stands."""
    for part in re.split(r"\n\s*\n", comment):
        yield from _one(part)


def _one(part):
    lines = part.split("\n")
    indented = [line.startswith("  ") for line in lines]
    start = 0
    for place in range(1, len(lines) + 1):
        if place < len(lines) and indented[place] == indented[start]:
            continue
        text = "\n".join(lines[start:place])
        if indented[start]:
            text = textwrap.dedent(text)
            yield nodes.literal_block(text, text, language="cpp", force=True)
        else:
            yield nodes.paragraph("", text.replace("\n", " "))
        start = place


class Header(Directive):
    """A section with what a header declares."""

    required_arguments = 1

    def run(self):
        """Return the section."""
        path = INCLUDE / self.arguments[0]
        self.state.document.settings.record_dependencies.add(str(path))
        title = path.name
        section = nodes.section(ids=[nodes.make_id(self.arguments[0])], names=[title])
        section += nodes.title("", "", nodes.literal("", title))
        language = "c" if path.suffix == ".h" else "cpp"
        for comment, declaration in blocks(path.read_text("utf-8")):
            if declaration:
                section += nodes.literal_block(declaration, declaration, language=language)
            section.extend(paragraphs(comment))
        return [section]


FUNCTORS = functors()


def _add(app, what, name, obj, options, lines):
    """Put the formula as the core has it at the end of a function's page."""
    short = name.rpartition(".")[2]
    if what != "function" or name.startswith(("bridle.torch", "bridle.keras")):
        return
    if short in FUNCTORS:
        path, text = FUNCTORS[short]
        lines += ["", f".. rubric:: In C++, {path}", "", ".. code-block:: cpp", ""]
        lines += [f"   {line}" for line in text.splitlines()] + [""]


def setup(app):
    app.add_directive("header", Header)
    app.connect("autodoc-process-docstring", _add, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
