"""What programs are compiled against: the C headers, as lines that say all that a caller relies on.

``python -m tests.c.interface`` prints them, which are those of interface.txt.
"""

import ctypes
import re
from pathlib import Path

import bridle as br

STORED = Path(__file__).with_name("interface.txt")

TYPES = {
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "double": ctypes.c_double,
}


def header_text():
    """The headers without comments."""
    folder = Path(br.get_include(), "bridle")
    text = "".join((folder / name).read_text() for name in ("c_arrays.h", "c_api.h"))
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def described(text):
    """Return the lines of each section, by its title."""
    sections = {}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        sections[f"struct {name}"] = _members(body)
    for name, body in re.findall(r"^enum (\w+) \{(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        sections[f"enum {name}"] = [_spaced(entry) for entry in body.split(",")]
    sections["functions"] = [_spaced(found) for found in re.findall(r"BRIDLE_API ([^;]*);", text)]
    sections["types"] = [
        _spaced(found) for found in re.findall(r"^typedef [^;]*", text, re.MULTILINE)
    ]
    sections["constants"] = re.findall(r'^#define (\w+ (?:\d+|".*"))$', text, re.MULTILINE)
    return sections


def read(text):
    """Return the sections of interface.txt."""
    sections = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            lines = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            lines.append(line)
    return sections


def written(sections):
    """Return the text of `read`."""
    return "\n".join("\n".join([f"[{title}]", *lines, ""]) for title, lines in sections.items())


def _spaced(text):
    return " ".join(text.split()).replace("( ", "(")


def _members(body):
    """Return each member behind its offset and size in bytes."""
    members = list(_declarations(body))
    fields = {"_fields_": [(name, kind) for _, name, kind in members]}
    structure = type("Structure", (ctypes.Structure,), fields)
    places = [getattr(structure, name) for _, name, _ in members]
    return [
        f"{place.offset:3} {place.size:2} {declaration}"
        for place, (declaration, _, _) in zip(places, members, strict=True)
    ]


def _declarations(body):
    """Yield each member: how it is declared alone, its name and its type."""
    for text in filter(None, map(_spaced, body.split(";"))):
        if function := re.fullmatch(r".*\(\*(\w+)\)\(.*\)", text):
            yield text, function[1], ctypes.c_void_p
            continue
        kind, names = re.fullmatch(r"(.*?[ *])(\w+(?:\[\d\])?(?:, \w+)*)", text).groups()
        pointer = "*" in kind or kind == "bridle_any_function "
        of = ctypes.c_void_p if pointer else TYPES[kind.strip()]
        for name in names.split(", "):
            stem, _, count = name.rstrip("]").partition("[")
            yield f"{kind}{name}", stem, of * int(count) if count else of


if __name__ == "__main__":
    print(written(described(header_text())), end="")
