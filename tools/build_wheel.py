"""Build the wheel that is published: complete, and of the same bytes for the same commit.

The one library that the system lends, libgomp, is put into it, with its licence, and is named in a
bill of materials; what is built without OpenMP needs none. All files have the date of the commit,
or that of SOURCE_DATE_EPOCH. Arguments that are not known are those of ``python -m build``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 3_000_000
LICENCE = "GPL-3.0-or-later WITH GCC-exception-3.1"  # of libgomp
# What the names that a library shows begin with; those of the C++ interface are mangled.
SHOWN = {"_core": r"PyInit__core$", "libbridle": r"bridle_|_ZN?[A-Z]*6bridle"}
NOT_SHOWN = "libgomp"  # which is as it is


def main() -> None:
    """Build or take a wheel, repair it, add a licence, check it and put it where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument(
        "--wheel", type=Path, help="one that has been built, for this machine alone"
    )
    arguments, options = parser.parse_known_args()
    if "SOURCE_DATE_EPOCH" not in os.environ:
        os.environ["SOURCE_DATE_EPOCH"] = output(
            "git", "-C", str(ROOT), "log", "-1", "--format=%ct"
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, built = Path(name), arguments.wheel
        if built is None:
            to = folder / "built"
            run(sys.executable, "-m", "build", "--wheel", "--outdir", to, *options, ROOT)
            built = only(to)
        run("auditwheel", "repair", "--wheel-dir", folder / "repaired", built)
        run_wheel("unpack", "--dest", folder / "unpacked", only(folder / "repaired"))
        add_licence(only(folder / "unpacked"))
        (folder / "packed").mkdir()
        run_wheel("pack", "--dest-dir", folder / "packed", only(folder / "unpacked"))
        wheel = arguments.out / only(folder / "packed").name
        check(only(folder / "packed"), only(folder / "unpacked"))
        shutil.copyfile(only(folder / "packed"), wheel)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    print(f"{wheel}\n{wheel.stat().st_size} bytes, sha256 {digest}")


def add_licence(unpacked: Path) -> None:
    """Add the licence of the library that was put in, if one was, and say so in the metadata."""
    libraries = [path.name for path in unpacked.glob("*.libs/*")]
    if not libraries:
        return
    (information,) = unpacked.glob("*.dist-info")
    (bill,) = information.glob("sboms/*.json")
    names = {part["name"] for part in json.loads(bill.read_text())["components"]} - {"bridle"}
    if len(names) != 1 or len(libraries) != 1 or not libraries[0].startswith("libgomp-"):
        raise SystemExit(f"build_wheel: only libgomp may be put in, not {libraries} of {names}")
    (name,) = names
    (information / "licenses" / f"{name}.txt").write_text(licence_text(name))
    metadata = information / "METADATA"
    text = metadata.read_text()
    text = re.sub("(?m)^(License-Expression: .*)$", rf"\1 AND {LICENCE}", text, count=1)
    text = re.sub("(?m)^(License-File: .*)$", rf"\1\nLicense-File: {name}.txt", text, count=1)
    metadata.write_text(text)


def licence_text(package: str) -> str:
    """Return what the system has with a package of it."""
    if shutil.which("dpkg"):
        paths = [Path("/usr/share/doc", package, "copyright")]
        paths.append(Path("/usr/share/common-licenses/GPL-3"))  # to which the first one refers
    else:
        paths = [Path(line) for line in output("rpm", "-q", "--licensefiles", package).splitlines()]
    text = "\n\n".join(path.read_text() for path in paths)
    for part in ("GCC RUNTIME LIBRARY EXCEPTION", "GNU GENERAL PUBLIC LICENSE"):
        if part not in text.upper():
            raise SystemExit(f"build_wheel: there is no {part} in {[*map(str, paths)]}")
    return text


def check(wheel: Path, unpacked: Path) -> None:
    """Check what others will see of it."""
    run(sys.executable, "-m", "twine", "check", "--strict", wheel)
    of_bundled = "W009,W010"  # what there is beside the package is the folder of libgomp
    run("check-wheel-contents", "--ignore", of_bundled, wheel)
    if wheel.stat().st_size > MOST_BYTES:
        raise SystemExit(f"build_wheel: {wheel.stat().st_size} bytes are more than {MOST_BYTES}")
    for path in sorted(unpacked.rglob("*.so*")):
        library = path.name.split(".")[0]
        if not library.startswith(NOT_SHOWN):
            wrong = [name for name in exports(path) if not re.match(SHOWN[library], name)]
            if wrong:
                raise SystemExit(f"build_wheel: {path.name} must not show {wrong}")


def exports(path: Path) -> list[str]:
    """Return the names that a shared library defines for others."""
    with path.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".dynsym").iter_symbols()
        return sorted(
            symbol.name
            for symbol in symbols
            if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
        )


def only(folder: Path) -> Path:
    """Return the one thing in a folder."""
    (path,) = folder.iterdir()
    return path


def run(*command: str | Path) -> None:
    """Run a command, which must succeed."""
    subprocess.run(command, check=True)


def run_wheel(*options: str | Path) -> None:
    """Unpack or pack a wheel."""
    run(sys.executable, "-m", "wheel", *options)


def output(*command: str) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
