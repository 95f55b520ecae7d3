"""What is timed of Dask arrays: what a chunk costs beside its work, and dropout beside Dask's own.

Statements see the names of `arrays.namespace`, and what `prepare` adds: ``lazy``, the array in
``parts``, and ``large``, the array fifteen times.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from bench.peers.works import Goal, Work, short

COUNT = 100
PREPARE = (
    "import time, dask; import dask.array as da;"
    " setting = dask.config.set(scheduler='threads', num_workers=threads);"
    f" parts = np.split(x[: n // {COUNT} * {COUNT}], {COUNT});"
    " lazy = da.from_array(x[: sum(p.size for p in parts)], chunks=parts[0].size);"
    " large = da.concatenate(15 * [da.from_array(x, chunks=8_000_000)]);"
    " one_a_page = lambda array: array.map_blocks(lambda chunk: chunk[::1024], dtype=np.float32)"
)
ALONE = "the chunks alone"
LIMIT = f"{ALONE} and 1 ms each"
WAIT = f"time.sleep({COUNT} * 1e-3)"
# In NumPy the place of each part has to be told to dropout.
OVERHEAD = {
    "soft_threshold": ("br.soft_threshold({}, t{})", "", ".sum(dtype=float)"),
    "dropout 0.1": ("br.dropout({}, 0.1, seed=7{})", ", offset=i * p.size", ".sum(dtype=float)"),
    "l1_penalty": ("br.l1_penalty({}, s{})", "", ""),
}
MASKED = (
    "da.where(da.random.default_rng(7).random(large.shape, chunks=large.chunks, dtype=np.float32)"
    " < np.float32(0.7), large * np.float32(1 / 0.7), np.float32(0))"
)
DROPPED = {
    "bridle": "br.dropout(large, 0.3, seed=7)",
    "Dask's random numbers": MASKED,
    ALONE: "large",
}
# What is made of a chunk: so little that the work is dropout's, or what takes half as long again.
MADE = {"": "one_a_page({}).max().compute()", " and its maximum": "{}.max().compute()"}


def chunks(memory: int, cached: int) -> Iterator[Work]:
    """Every row of the family, where Dask is installed."""
    if not find_spec("dask"):
        return
    for name, (call, place, summed) in OVERHEAD.items():
        alone = f"sum({call.format('p', place)}{summed} for i, p in enumerate(parts))"
        statements = {
            "bridle": f"{call.format('lazy', '')}{summed}.compute()",
            ALONE: alone,
            LIMIT: f"({alone}, {WAIT})[0]",
        }
        title = f"{name}, dask, {COUNT} chunks of {short(cached // COUNT)}"
        goal = Goal("limit", 1.0)
        yield Work(
            title, cached, "value", "close", statements, LIMIT, (goal,), None, PREPARE, "dask"
        )
    for also, made in MADE.items():
        title = f"dropout 0.3{also}, dask, {60e-9 * memory:g} GB in chunks"
        statements = {name: made.format(dropped) for name, dropped in DROPPED.items()}
        goals = () if also else (Goal("Dask's random numbers", 10.0),)
        yield Work(
            title, memory, "value", "close", statements, ALONE, goals, None, PREPARE, "dask", 60
        )
