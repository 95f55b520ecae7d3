"""What is timed of whole models: norms, sums, averages, casts, also of half types.

Statements see the names of `arrays.namespace` and what `prepare` adds: ``h``, the numbers of ``x``
in a half type, ``pieces`` of the array that is measured, and PyTorch's views of both.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.peers.works import LIMITS, Goal, Work, short

HALVES = (
    "import ml_dtypes; h = x.astype(ml_dtypes.bfloat16); h_at = h.ctypes.data;"
    " view = h.view(np.int16);"
    " th = torch.from_numpy(view).view(torch.bfloat16) if 'torch' in globals() else None"
)
PIECES = (
    "pieces = np.array_split({array}, 1000);"
    " total_norm = torch.nn.utils.get_total_norm if 'torch' in globals() else None;"
    " tpieces = torch.tensor_split({tensor}, 1000) if 'torch' in globals() else None"
)
OWN_LIMITS = LIMITS | {
    "parallel read, widened": "limits.read_halves(h_at, n, threads)",
    "read, in-place sum": "limits.add_halves(out_at, h_at, n, threads)",
    "streaming copy to halves": "limits.halve_streaming(x_at, h_at, n, threads)",
    "streaming copy of halves": "limits.double_streaming(h_at, out_at, n, threads)",
}
NORM = {
    "bridle": "br.global_norm(pieces).l2",
    "NumPy": "np.sqrt(sum(np.dot(p, p) for p in pieces), dtype=np.float64)",
    "PyTorch": "total_norm(tpieces).item()",
}
ACCUMULATE = {
    "bridle": "br.accumulate(out, h, scale=0.5)",
    "NumPy": "np.multiply(h, np.float32(0.5), out=tmp); np.add(out, tmp, out=out)",
    "PyTorch": "tout.add_(th, alpha=0.5)",
}
AVERAGE = {
    "bridle": "br.average_update(out, h, 0.999)",
    "NumPy": "np.subtract(h, out, out=tmp); np.multiply(tmp, np.float32(1 - 0.999), out=tmp);"
    " np.add(out, tmp, out=out)",
    "PyTorch": "tout.lerp_(th.float(), 1 - 0.999)",
}
TO_HALVES = {
    "bridle": "br.cast(x, h)",
    "NumPy": "np.copyto(h, x, casting='unsafe')",
    "PyTorch": "th.copy_(tx)",
}
FROM_HALVES = {
    "bridle": "br.cast(h, out)",
    "NumPy": "np.copyto(out, h)",
    "PyTorch": "tout.copy_(th)",
}
TO_FRESH_HALVES = {
    "bridle": "br.cast(x, np.empty(n, h.dtype))",
    "NumPy": "x.astype(h.dtype)",
    "PyTorch": "tx.to(torch.bfloat16)",
}
FROM_FRESH_HALVES = {
    "bridle": "br.cast(h, np.empty(n, np.float32))",
    "NumPy": "h.astype(np.float32)",
    "PyTorch": "th.to(torch.float32)",
}


def _work(
    name: str,
    n: int,
    statements: dict[str, str],
    limit: str,
    item: int,
    *goals: Goal,
    result: str = "out",
    check: str = "close",
    prepare: str = HALVES,
) -> Work:
    code = statements | {limit: OWN_LIMITS[limit]}
    title = f"{name}, {short(n)}"
    return Work(title, n, result, check, code, limit, goals, None, prepare, "models", item)


def models(n: int) -> Iterator[Work]:
    """Every row of the family."""
    share, torch = Goal("limit", 0.95), Goal("PyTorch", 3.0)
    pieces = PIECES.format(array="x", tensor="tx")
    name = "global_norm of 1000 arrays"
    value = {"result": "value", "check": "norm"}
    yield _work(name, n, NORM, "parallel read", 4, share, torch, prepare=pieces, **value)
    pieces = f"{HALVES}; {PIECES.format(array='h', tensor='th')}"
    halves = {k: code for k, code in NORM.items() if k != "NumPy"}
    title = f"{name} of bfloat16"
    yield _work(
        title, n, halves, "parallel read, widened", 2, share, torch, prepare=pieces, **value
    )
    for name, code in (("accumulate", ACCUMULATE), ("average_update", AVERAGE)):
        limit, title = "read, in-place sum", f"{name} of bfloat16"
        yield _work(title, n, code, limit, 10, share, check="sum")
    faster = Goal("PyTorch", 1.3)
    narrowed = {"result": "h"}
    limit = "streaming copy to halves"
    yield _work("cast to bfloat16", n, TO_HALVES, limit, 6, share, faster, **narrowed)
    name, fresh = "cast to bfloat16 fresh", {"result": "value"}
    yield _work(name, n, TO_FRESH_HALVES, limit, 6, faster, **fresh)
    limit = "streaming copy of halves"
    yield _work("cast from bfloat16", n, FROM_HALVES, limit, 6, share, faster)
    name = "cast from bfloat16 fresh"
    yield _work(name, n, FROM_FRESH_HALVES, limit, 6, faster, **fresh)
