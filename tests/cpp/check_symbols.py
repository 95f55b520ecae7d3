"""Fails where the library shows more than it should, or the linker could mix instruction sets.

Usage: check_symbols.py NM exports LIBRARY HEADER_DIRECTORY
       check_symbols.py NM kernels INSTRUCTION_SET OBJECT...

NM is an nm that reads these files: llvm-nm for macOS, where names begin with one more "_".

The first compares the symbols that the library exports with the functions marked BRIDLE_API. The
second insists that what an object compiled for one instruction set defines for others to see, weak
or not, lies in the namespace of that instruction set: of two weak functions with one name the
linker keeps any.
"""

import re
import subprocess
import sys
from pathlib import Path


def defined_symbols(nm: str, path: str, *options: str) -> list[tuple[str, str]]:
    """The type letter and the name of every symbol that a file defines."""
    command = [nm, "--defined-only", *options, path]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    fields = (line.split(maxsplit=2) for line in lines)
    return [(field[1], field[2]) for field in fields if len(field) == 3]


def check_exports(nm: str, library: str, headers: str) -> list[str]:
    """Compare exported and declared functions."""
    declarations = "\n".join(header.read_text() for header in sorted(Path(headers).rglob("*.h*")))
    declared = set(re.findall(r"^BRIDLE_API [^;(]*?(\w+)\(", declarations, re.MULTILINE))
    exported = {name for _, name in defined_symbols(nm, library, "--dynamic", "--demangle")}
    functions = {re.sub(r"\(.*", "", name) for name in exported}
    wanted = {name if name.startswith("bridle_") else f"bridle::{name}" for name in declared}
    if not declared:
        return [f"no function marked BRIDLE_API under {headers}"]
    unmarked = [f"exported, but not marked: {name}" for name in sorted(functions - wanted)]
    return unmarked + [f"marked, but not exported: {name}" for name in sorted(wanted - functions)]


def check_kernels(nm: str, instruction_set: str, *objects: str) -> list[str]:
    """Look for symbols outside the namespace."""
    inside = re.compile(rf"_?_Z\w{{0,2}}N[KV]*6bridle{len(instruction_set)}{instruction_set}\d")
    found = [(kind, name) for path in objects for kind, name in defined_symbols(nm, path)]
    shared = [name for kind, name in found if kind.isupper() or kind in "uvw"]
    if not shared:
        return ["no symbols found"]
    outside = (name for name in shared if not inside.match(name))
    return [f"outside bridle::{instruction_set}: {name}" for name in outside]


def main(nm: str, what: str, *arguments: str) -> int:
    """Print every fault; the exit status says whether there is one."""
    faults = {"exports": check_exports, "kernels": check_kernels}[what](nm, *arguments)
    print("\n".join(faults) or "as it should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
