"""What is timed of steps of whole models: mixed types, matrices with gaps, some rows of a table.

All steps of bridle are with decay, l1 and summary. Statements see the names of `arrays.namespace`
and what `prepare` adds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bench.peers.models import HALVES
from bench.peers.works import ADAMW, DECAY, LIMITS, REGULARIZED, Goal, Work, short

MOVED = "x_at, h_at, out_at, tmp_at, copy.ctypes.data, n"
MOVED_HALVES = "x_at, h_at, first.ctypes.data, second.ctypes.data, copy.ctypes.data, n"
OWN_LIMITS = LIMITS | {
    "the same bytes, 28 each": f"limits.update_mixed({MOVED}, threads)",
    "the same bytes, 20 each": f"limits.update_halves({MOVED_HALVES}, threads)",
    "the same rows": "limits.update_rows(*table_places, *gradient.shape, threads)",
}
COPY = "copy = np.zeros_like(h)"
# Beside PyTorch's step, which takes gradients of the weights' type only, its two casts.
WIDE = (
    "wide = np.zeros_like(x);"
    " twide = torch.from_numpy(wide) if 'torch' in globals() else None;"
    " tcopy = torch.from_numpy(copy.view(np.int16)).view(torch.bfloat16)"
    " if 'torch' in globals() else None;"
    " mixed_adamw = torch_adamw([x], [wide], [out], [tmp]) if 'torch' in globals() else None"
)
MIXED = {
    "bridle": ADAMW.format(arrays="x, h, out, tmp", options=f", copy_out=copy{REGULARIZED}"),
    "PyTorch": "twide.copy_(th); mixed_adamw.step(); tcopy.copy_(tx)",
    "one pass in C++": f"fused.adamw({MOVED}, lr, {DECAY}, iteration, threads)",
}
MOMENTS = "first, second = np.zeros_like(h), np.zeros_like(h)"
STOCHASTIC = f", copy_out=copy, rounding='stochastic', seed=7{REGULARIZED}"
HALF_MOMENTS = {"bridle": ADAMW.format(arrays="x, h, first, second", options=STOCHASTIC)}
# All columns but the last, and the same number of elements without the gaps.
MATRICES = (
    "columns = {columns};"
    " strided = [a[: n // (columns + 1) * (columns + 1)].reshape(-1, columns + 1)[:, :-1]"
    " for a in (x, original, out, tmp)];"
    " contiguous = [a[: m.size].reshape(m.shape)"
    " for m, a in zip(strided, (x, original, out, tmp))]"
)
GAPS = {
    "bridle": ADAMW.format(arrays="*strided", options=REGULARIZED),
    "contiguous": ADAMW.format(arrays="*contiguous", options=REGULARIZED),
}
PENALTY = {
    "bridle": "br.elastic_net_penalty(strided[0], s, l2)",
    "contiguous": "br.elastic_net_penalty(contiguous[0], s, l2)",
}
WIDTH, SHARE = 16, 100
TABLE = (
    f"count = n // {WIDTH};"
    f" table = np.ones((count * {SHARE}, {WIDTH}), np.float32);"
    " first, second = np.zeros_like(table), np.zeros_like(table);"
    " rows = np.random.default_rng(4).choice(len(table), count, replace=False);"
    f" gradient = original[: count * {WIDTH}].reshape(count, {WIDTH});"
    " table_places = [a.ctypes.data for a in (table, gradient, first, second, rows)]"
)
ROWS = {
    "bridle": ADAMW.format(
        arrays="table, gradient, first, second", options=f", rows=rows{REGULARIZED}"
    ),
    "NumPy": "adamw_of_rows(table, gradient, first, second, rows, lr, iteration)",
    "Numba": "nb.adamw_of_rows(table, gradient, first, second, rows, lr, iteration)",
}
# Optimizers of a list and of one array of as many elements, before their next step.
NEXT = "{0}.load_state_dict({0}.state_dict() | {{'iteration': iteration - 1}})"
OPTIMIZERS = (
    f"optimizer = br.AdamW(xs, lr{REGULARIZED}); {NEXT.format('optimizer')};"
    f" single = br.AdamW(x, lr{REGULARIZED}); {NEXT.format('single')}"
)
OBJECTS = {
    "bridle": "optimizer.step(originals, lr=lr)",
    "one array": "single.step(original, lr=lr)",
    "PyTorch": "adamw_list.step()",
}


def _work(
    name: str,
    n: int,
    statements: dict[str, str],
    limit: str,
    check: str,
    prepare: str,
    *goals: Goal,
    item: int = 28,
) -> Work:
    code = statements | {limit: OWN_LIMITS[limit]}
    result = "value" if check == "matrix penalty" else "x"
    return Work(name, n, result, check, code, limit, goals, None, prepare, "models", item)


def steps(n: int, cached: int) -> Iterator[Work]:
    """Every row of the family: its large arrays have `n` elements, its lists `cached` in all."""
    yield from _mixed("adamw_update of mixed types", n)
    yield from _matrices(n)
    count = n // 1000
    name = f"adamw_update, rows= of {short(count)} of {short(SHARE * count)} rows of {WIDTH}"
    goal = Goal("NumPy", 5.0)
    yield _work(name, count * WIDTH, ROWS, "the same rows", "table", TABLE, goal)
    name, limit = f"AdamW.step, list of 1000, {short(cached)}", "four reads, three writes"
    goals = Goal("one array", 1 / 1.3), Goal("PyTorch", 20.0)
    yield _work(name, cached, OBJECTS, limit, "optimizer", OPTIMIZERS, *goals)


def _mixed(name: str, n: int) -> Iterator[Work]:
    goals = Goal("limit", 0.95), Goal("PyTorch", 1.3), Goal("one pass in C++", 1.1)
    prepare = f"{HALVES}; {COPY}"
    limit, title = "the same bytes, 28 each", f"{name}, {short(n)}"
    yield _work(title, n, MIXED, limit, "mixed", f"{prepare}; {WIDE}", *goals)
    limit, title = "the same bytes, 20 each", f"{name}, bfloat16 moments, {short(n)}"
    prepare, goal = f"{prepare}; {MOMENTS}", Goal("limit", 0.85)
    yield _work(title, n, HALF_MOMENTS, limit, "half moments", prepare, goal, item=20)


def _matrices(n: int) -> Iterator[Work]:
    prepare = MATRICES.format(columns=math.isqrt(n))
    goal = Goal("contiguous", 1 / 1.15)
    name, limit = f"adamw_update of W[:, :-1], {short(n)}", "four reads, three writes"
    yield _work(name, n, GAPS, limit, "matrix", prepare, goal)
    name, limit = f"elastic_net_penalty of W[:, :-1], {short(n)}", "parallel read"
    yield _work(name, n, PENALTY, limit, "matrix penalty", prepare, goal, item=4)
