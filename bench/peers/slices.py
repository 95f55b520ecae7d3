"""What is timed of the operators of slices: groups, vectors, projections, selections.

Statements see the names of `arrays.namespace` and what `prepare` adds to them. Threshold ``t``
hardly changes a norm, so that an array that is worked on in place remains what it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.peers.works import LIMITS, Goal, Work, place_of, short

# Two-dimensional views, of which the columns or the rows are vectors.
ROWS = "m = {0}[: n // 100 * 100].reshape(-1, 100); k = {1}[: n // 100 * 100].reshape(-1, 100)"
TENS = "m = {0}[: n // 10 * 10].reshape(-1, 10); k = {1}[: n // 10 * 10].reshape(-1, 10)"
GROUPS = (
    "groups = max(1, n // 10_000);"
    " labels = np.random.default_rng(3).integers(0, groups, n, dtype=np.int64)"
)
FACTORS = (
    "np.sqrt(squares, out=squares); np.divide(t, squares, out=squares);"
    " np.subtract(1, squares, out=squares); np.maximum(squares, 0, out=squares);"
)
ALONG_ROWS = {
    "bridle": "br.group_soft_threshold(m, t, out=k)",
    "NumPy": f"squares = np.einsum('ij,ij->i', m, m); {FACTORS}"
    " np.multiply(m, squares[:, np.newaxis], out=k)",
    "Numba": "nb.group_soft_threshold_rows(m, t32, k)",
}
ALONG_COLUMNS = {
    "bridle": "br.group_soft_threshold(m, t, axis=0, out=k)",
    "NumPy": f"squares = np.einsum('ij,ij->j', m, m); {FACTORS} np.multiply(m, squares, out=k)",
    "Numba": "nb.group_soft_threshold_columns(m, t32, k, threads)",
}
BY_LABELS = {
    "bridle": "br.group_soft_threshold(x, t, labels=labels, out={out})",
    "NumPy": "squares = np.bincount(labels, np.multiply(x, x, out=tmp), groups);"
    f" {FACTORS} np.take(squares.astype(np.float32), labels, out=tmp);"
    " np.multiply(x, tmp, out={out})",
    "Numba": "nb.group_soft_threshold_labels(x, t32, labels, groups, {out}, threads)",
}
ONE_GROUP = {
    "bridle": "br.group_soft_threshold(x, t, out={out})",
    "NumPy": "np.multiply(x, np.float32(max(1 - t / np.linalg.norm(x), 0)), out={out})",
    "Numba": "nb.group_soft_threshold_one(x, t32, {out})",
}
BY_SORTING = (
    "u = np.sort({values})[::-1]; s = np.cumsum(u, dtype=np.float64); s -= 1.0;"
    " j = np.count_nonzero(u * np.arange(1, n + 1) > s);"
    " np.subtract({values}, np.float32(s[j - 1] / j), out=out); np.maximum(out, 0, out=out)"
)
SIMPLEX = {
    "bridle": "br.project_simplex(x, out=out)",
    "NumPy": BY_SORTING.format(values="x"),
}
L1_BALL = {
    "bridle": "br.project_l1_ball(x, out=out)",
    "NumPy": f"np.abs(x, out=tmp); {BY_SORTING.format(values='tmp')}; np.copysign(out, x, out=out)",
}
STRENGTHS = "strengths = np.linspace(2.0, 0.0, n)"
SLOPE = {
    "bridle": "br.prox_slope(x, strengths, out=out)",
    "Numba": "nb.prox_slope(x, np.argsort(-np.abs(x)), strengths, out)",
}
# NumPy has no way that is not iterative: the dual by accelerated projected gradients, as many of
# them as single precision wants. It is tried on short vectors only.
TOTAL_VARIATION = {"bridle": "br.prox_total_variation(x, 1.0, out=out)"}
ITERATED = TOTAL_VARIATION | {"NumPy": "out[:] = total_variation(x, 1.0, 1500)"}
LARGEST = {
    "bridle": "br.top_k_threshold(pieces, n // 10)",
    "NumPy": "np.partition(np.abs(np.concatenate(pieces)), n - n // 10)[n - n // 10]",
}
TWO_OF_FOUR = {
    "bridle": "br.project_n_m(v, out=v)",
    "NumPy": "np.put_along_axis(m, np.argpartition(np.abs(m), 1, axis=1)[:, :2], 0, axis=1)",
    "Numba": "nb.two_of_four(m, m)",
}
FOURS = "v = x[: n // 4 * 4]; m = v.reshape(-1, 4)"
OWN_LIMITS = LIMITS | {
    "read, in-place scale": f"{LIMITS['parallel read']}; {LIMITS['in-place scale']}",
    "sort of magnitudes": "np.abs(x, out=tmp); tmp.sort()",
}


def _work(
    name: str,
    size: int,
    result: str,
    statements: dict[str, str],
    limit: str,
    *goals: Goal,
    prepare: str = "",
    check: str = "close",
) -> Work:
    out, where = place_of(result)
    where = "" if result == "value" else where  # one number
    code = {
        contender: text.format(out=out) for contender, text in (statements | {limit: ""}).items()
    }
    code[limit] = OWN_LIMITS[limit].format(out=out)
    title = f"{name}{where}, {short(size)}"
    prepared = prepare.format("x", out)
    return Work(title, size, result, check, code, limit, goals, prepare=prepared, family="slices")


def groups(n: int) -> Iterator[Work]:
    """The l2 norm of rows, columns, labels, of one vector and of very many."""
    name, in_place, copy = "group_soft_threshold", "in-place scale", "streaming copy"
    numba, numpy = Goal("Numba", 1.2), Goal("NumPy", 10.0)
    rows = f"{name}, rows of 100"
    yield _work(rows, n, "x", ALONG_ROWS, in_place, Goal("limit", 0.9), numba, prepare=ROWS)
    yield _work(rows, n, "out", ALONG_ROWS, copy, Goal("limit", 0.8), numba, prepare=ROWS)
    columns = f"{name}, 100 columns"
    yield _work(columns, n, "x", ALONG_COLUMNS, in_place, Goal("limit", 0.6), prepare=ROWS)
    goals = Goal("limit", 0.6), Goal("NumPy", 3.0)
    yield _work(f"{name}, labels", n, "x", BY_LABELS, in_place, *goals, prepare=GROUPS)
    goal = Goal("limit", 0.6)
    yield _work(f"{name}, one group", n, "x", ONE_GROUP, "read, in-place scale", goal)
    yield _work(f"{name}, groups of 10", n, "x", ALONG_ROWS, in_place, goal, numpy, prepare=TENS)


def projections(n: int) -> Iterator[Work]:
    """Onto the simplex and the l1 ball of radius 1, beside the formula that sorts."""
    goals = Goal("limit", 0.25), Goal("NumPy", 15.0)
    for size in (n // 10, n):
        for name, code in (("project_simplex", SIMPLEX), ("project_l1_ball", L1_BALL)):
            yield _work(name, size, "out", code, "parallel read", *goals)


def vectors(n: int) -> Iterator[Work]:
    """What is sorted, and what is followed from one end to the other."""
    goal = Goal("limit", 0.667)  # one and a half times that long
    yield _work("prox_slope", n // 100, "out", SLOPE, "sort of magnitudes", goal, prepare=STRENGTHS)
    name, goal = "prox_total_variation", Goal("NumPy", 20.0)
    yield _work(name, n // 1000, "out", ITERATED, "copy loop", goal)
    for size in (n // 100, n // 10):
        yield _work(name, size, "out", TOTAL_VARIATION, "copy loop")


def selections(n: int) -> Iterator[Work]:
    """The largest of a list of arrays, two of every four."""
    pieces = "pieces = np.array_split(x, 100)"
    goal = Goal("NumPy", 5.0)
    name = "top_k_threshold of 100 arrays"
    yield _work(name, n, "value", LARGEST, "parallel read", goal, prepare=pieces)
    goal = Goal("limit", 0.8)
    yield _work("project_n_m", n, "x", TWO_OF_FOUR, "in-place scale", goal, prepare=FOURS)


def slices(n: int) -> Iterator[Work]:
    """Every row of the family."""
    yield from groups(n)
    yield from projections(n)
    yield from vectors(n)
    yield from selections(n)
