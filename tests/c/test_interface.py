"""What C programs were compiled against stays; the interface grows at the ends of its parts."""

import ctypes
import shutil
import subprocess

import pytest

import bridle as br

from .interface import STORED, described, header_text, read, written

TEXT = header_text()
PRESENT = described(TEXT)
KEPT = read(STORED.read_text())

pytestmark = pytest.mark.skipif(
    ctypes.sizeof(ctypes.c_void_p) != 8, reason="the places are those of 64-bit systems"
)


def broken(kept, present):
    """Return what of the kept lines programs would no longer find where it was."""
    found = []
    for title, lines in kept.items():
        now = present.get(title, [])
        found += [f"{title}: {line}" for i, line in enumerate(lines) if now[i : i + 1] != [line]]
        may_grow = not title.startswith("struct") or any(line.endswith(" size") for line in lines)
        if not may_grow:
            found += [f"{title}, which tells no size: {line}" for line in now[len(lines) :]]
    return found


def test_what_programs_rely_on_is_where_it_was():
    assert broken(KEPT, PRESENT) == []


def test_what_was_added_is_kept_from_now_on():
    assert written(PRESENT).splitlines() == written(KEPT).splitlines(), (
        "tests/c/interface.txt lacks what was added; python -m tests.c.interface prints all of it"
    )


CHANGES = {
    "a member put in the middle": (
        "  int (*decay_f32)",
        "  int (*other)(int n);\n  int (*decay_f32)",
    ),
    "another order": ("uint32_t version; \n  uint32_t size;", "uint32_t size; uint32_t version;"),
    "a member left out": ("double l1, l2;", "double l1;"),
    "another type": ("int64_t nonzeros;", "uint64_t nonzeros;"),
    "another parameter": ("(*clip_scale)(const", "(*clip_scale)(int more, const"),
    "another result": ("const char* (*last_error)", "char* (*last_error)"),
    "another value": ("BRIDLE_FLOAT16 = 0", "BRIDLE_FLOAT16 = 7"),
    "another name": ("BRIDLE_DECAY_FULL", "BRIDLE_DECAY_ALL"),
    "another version": ("BRIDLE_C_API_VERSION 1", "BRIDLE_C_API_VERSION 2"),
    "a function left out": ("BRIDLE_API int bridle_get_num_threads(void);", ""),
    "a structure without a size": (
        "uint64_t seed, stream, offset;",
        "uint64_t seed, stream, offset, more;",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change):
    before, after = CHANGES[change]
    assert TEXT.count(before) == 1
    assert broken(KEPT, described(TEXT.replace(before, after)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  const char* (*last_error)(void);",
            "  const char* (*last_error)(void);\n  int (*f)(int);",
        ),
        ("double grad_scale;", "double grad_scale; double more;"),
        ("BRIDLE_UPDATE = 4", "BRIDLE_UPDATE = 4, BRIDLE_MORE = 5"),
    ],
)
def test_what_is_put_at_the_end_breaks_nothing_but_must_be_kept(before, after):
    assert TEXT.count(before) == 1
    grown = described(TEXT.replace(before, after))
    assert broken(KEPT, grown) == []
    assert grown != KEPT


def test_a_compiler_sees_these_places_and_values(tmp_path):
    if not shutil.which("cc"):
        pytest.skip("there is no cc")
    lines = ["#include <bridle/c_api.h>"]
    for title, entries in PRESENT.items():
        if title.startswith("struct"):
            for entry in entries:
                place, size, declaration = entry.split(maxsplit=2)
                name = declaration.split("(*")[-1].split(")")[0].split("[")[0].split()[-1]
                member = f"(({title}*)0)->{name}"
                lines.append(f'_Static_assert(offsetof({title}, {name}) == {place}, "{name}");')
                lines.append(f'_Static_assert(sizeof({member}) == {size}, "{name}");')
        elif title.startswith("enum"):
            lines += [f'_Static_assert({entry.replace(" =", " ==")}, "");' for entry in entries]
    source = tmp_path / "places.c"
    source.write_text("\n".join([*lines, ""]))
    command = [
        "cc",
        "-std=c11",
        "-fsyntax-only",
        "-Wall",
        "-Werror",
        f"-I{br.get_include()}",
        source,
    ]
    subprocess.run(command, check=True)
    assert len(lines) > 150


def test_the_table_of_the_library_is_that_of_the_header():
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = pointer(br.c_api(), b"bridle.c_api")
    _, size, *functions = PRESENT["struct bridle_c_api"]
    last_place = int(functions[-1].split()[0])
    assert ctypes.c_uint32.from_address(table + int(size.split()[0])).value == last_place + 8
    for line in functions:
        place, name = int(line.split()[0]), line.split("(*")[1].split(")")[0]
        assert ctypes.c_void_p.from_address(table + place).value == br.c_api_address(name)
