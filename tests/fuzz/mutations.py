"""Files that are nearly right: changed below what a reader refuses at once, checksums made anew."""

import ast
import contextlib
import gzip
import io
import json
import zipfile

NUMBERS = [0, -1, 1, 2, 5, 255, 2**31, 2**32, 2**53, 2**63, 2**64, 2**64 - 1, 2**130, -(2**70)]
FLOATS = [0.0, -0.0, 0.5, 1.5, 1e-320, 1e308, -1e308, float("nan"), float("inf")]
TEXTS = ["", "x", "inf", "-inf", "nan", "min", "max", "a\nb", "\u2028", "\ud800", "9" * 5000, "é"]
KEYS = ["array", "mapping", "tuple", "number", "type", "name", "state", "config", "__class__"]

TYPES = ["<f8", ">f4", "<f2", "<u2", "|b1", "<c16", "<i8", "<M8[ns]", "<M8", "|O", "|S0", "|V0"]
TYPES += ["|V2", "<U3", "<U0", "<f16", [("a", "<f4")], [("a", "|O")], [], "<f8\n", "(2,)<f4"]
SHAPES = [(), (0,), (1,), (-1,), (2**60,), (2**63,), (10**30,), (0, 2**62), (2**32, 2**32)]
SHAPES += [(1,) * 70, (True,), (1.5,), ("a",), (2**20, 2**20), [3], 3]

CELLS = ["", "0", "1", "-1", "1.5", "1,5", "1.234,5", "1,234.5", "1e999", "-inf", "nan", "NA", "?"]
CELLS += ["yes", "no", "true", "2020-01-02", "12:30", "1.1.20", "a b", " x ", "\u00a0", "'q'", '"']
CELLS += ['"a,b"', '"a\nb"', "1" * 400, "\u2212 5", "1 234", "é", "\x85", "\x0b", "\x1c", "\u2028"]
CELLS += ["#", "sep=;", "1_0", "\u0663", "1e-400", "1e308", "-1e308", "0x10", "\ud7ff", "\x00"]


def mutated_bytes(data, rng):
    """Return the bytes with a few of them changed, put in, left out or repeated."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(data) + 1)
        length = rng.choice([1, 1, 2, 4, 8, 32])
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                data[at : at + length] = b""
            case 2:
                data[at:at] = rng.randbytes(length)
            case 3:
                data[at:at] = data[at : at + length] * rng.choice([1, 2, 50])
            case _ if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def mutated_archive(data, rng, raw=mutated_bytes):
    """Return a zip as `bridle._archive` writes it, with something else in one of its members."""
    members = _members(data)
    if not members or rng.randrange(8) == 0:
        return raw(data, rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        name = rng.choice(list(members) + [name for name in members if name.endswith(".json")] * 4)
        match rng.randrange(16):
            case 0:
                members[name] = raw(members[name], rng)
            case 1:
                members[rng.choice(["0.npy", "9.npy", "checkpoint.json", "x"])] = members[name]
            case 2 if len(members) > 1:
                del members[name]
            case _ if name.endswith(".json"):
                members[name] = mutated_json(members[name], rng, raw)
            case _:
                members[name] = _mutated_npy(members[name], rng, raw)
    return _zipped(members)


def mutated_json(data, rng, raw=mutated_bytes):
    """Return JSON with one of its values or names replaced, left out or put elsewhere."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return raw(data, rng)
    if rng.randrange(32) == 0:
        return rng.choice([b"[", b'{"a":', b'{"tuple":[']) * rng.choice([10, 5000])
    for _ in range(rng.choice([1, 1, 2, 4])):
        tree = _changed(tree, rng)
    return json.dumps(tree).encode()


def mutated_table(data, rng, raw=mutated_bytes):
    """Return a text of separated values with other cells, lines, separators or encodings."""
    if data[:2] == b"\x1f\x8b":
        with contextlib.suppress(Exception):
            whole = gzip.compress(mutated_table(gzip.decompress(data), rng, raw), mtime=0)
            return raw(whole, rng) if rng.randrange(8) == 0 else whole
    if rng.randrange(8) == 0:
        return raw(data, rng)
    text = data.decode("utf-8", "replace")
    delimiter = max(",;\t| ", key=text.count)
    lines = [line.split(delimiter) for line in text.split("\n")]
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        _change_lines(lines, rng)
    if rng.randrange(16) == 0:
        delimiter = rng.choice(",;\t| \x00a")
    return _encoded("\n".join(map(delimiter.join, lines)), rng)


def _members(data):
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return {info.filename: file.read(info) for info in file.infolist()}
    except Exception:  # about anything, of a damaged zip
        return {}


def _zipped(members):
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return to.getvalue()


def _mutated_npy(data, rng, raw):
    length = int.from_bytes(data[8:10], "little")
    try:
        header = ast.literal_eval(data[10 : 10 + length].decode("latin1"))
        content = data[10 + length :]
        match rng.randrange(8):
            case 0 | 1:
                header["descr"] = rng.choice(TYPES)
            case 2 | 3:
                header["shape"] = rng.choice(SHAPES)
            case 4:
                header["fortran_order"] = rng.choice([not header["fortran_order"], 3, None])
            case 5:
                header.pop(rng.choice(list(header)))
            case 6:
                content = raw(content, rng)
            case _:
                shape = (rng.randrange(40), *[2] * rng.randrange(3))
                header["shape"], content = shape, rng.randbytes(8 * shape[0] << len(shape) - 1)
    except Exception:
        return raw(data, rng)
    text = repr(header).encode("latin1", "replace") + b"\n"
    return data[:8] + len(text).to_bytes(2, "little") + text + content


def _leaf(rng):
    return rng.choice([None, True, False, *NUMBERS, *FLOATS, *TEXTS, [], {}, [[]], [1, 2], {"": 0}])


def _changed(tree, rng):
    """Return the tree with a change at a random place of it."""
    places = list(_places(tree))
    if not places:
        return _leaf(rng)
    parent, key = rng.choice(places)
    other = rng.choice(places)
    match rng.randrange(8):
        case 0:
            parent[key] = json.loads(json.dumps(other[0][other[1]]))
        case 1:
            del parent[key]
        case 2 if isinstance(parent, list):
            parent.insert(key, parent[key])
        case 2:
            parent[rng.choice([*KEYS, *TEXTS])] = parent.pop(key)
        case 3:
            parent[key] = rng.choice([[parent[key]], {rng.choice(KEYS): parent[key]}])
        case 4 if isinstance(parent[key], (int, float)):
            parent[key] += rng.choice([1, -1, 0.5])
        case _:
            parent[key] = _leaf(rng)
    return tree


def _places(tree):
    if isinstance(tree, (list, dict)):
        for key, value in list(enumerate(tree) if isinstance(tree, list) else tree.items()):
            yield tree, key
            yield from _places(value)


def _change_lines(lines, rng):
    line = rng.choice(lines)
    at = rng.randrange(len(line) + 1)
    match rng.randrange(9):
        case 0:
            line.insert(at, rng.choice(CELLS))
        case 1 if len(line) > 1:
            del line[at % len(line)]
        case 2:
            lines.insert(rng.randrange(len(lines) + 1), list(line))
        case 3 if len(lines) > 1:
            lines.remove(line)
        case 4:
            column, cell = rng.randrange(len(line)), rng.choice(CELLS)
            for other in lines[1:]:
                other[column : column + 1] = [cell]
        case 5:
            column = rng.randrange(len(line))
            for other in lines:
                other[column:column] = other[column : column + 1]
        case 6:
            line.extend([rng.choice(CELLS)] * rng.choice([1, 1, 3, 60]))
        case 7:
            column, texts = rng.randrange(len(line)), rng.sample(CELLS, 4)
            for other in lines[1:]:
                other[column : column + 1] = [rng.choice(texts)]
        case _:
            line[at % len(line)] = rng.choice(CELLS)


def _encoded(text, rng):
    match rng.randrange(24):
        case 0:
            text = text.replace("\n", rng.choice(["\r\n", "\r", "\n\n"]))
        case 1:
            text = rng.choice(["\ufeff", "sep=;\n", "# a note\n", "\n\n", "# a,b\n# "]) + text
        case 2:
            return text.encode(rng.choice(["utf-16", "utf-32", "utf-16-be", "latin-1"]), "replace")
        case 3:
            return gzip.compress(text.encode("utf-8", "replace"), mtime=0)
    return text.encode("utf-8", "replace")
