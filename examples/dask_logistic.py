"""Elastic-net logistic regression on more data than the workers have memory, by Dask and `fista`.

    python examples/dask_logistic.py --rows 8e6 --memory 256MiB

The data are made chunk by chunk wherever they are needed, and nobody ever has them all: an
iteration is one pass of the worker processes over all chunks, which add up the gradient. Solver and
weights are in this process. At the end come the same problem in memory, for comparison, and a layer
with dropout whose activations lie in 1, 4 and 7 chunks.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster, progress

import bridle as br

SEED, TOLERANCE = 1, 1e-11
REGULARIZER = br.ElasticNet(l1=0.01, l2=0.002)


def make_chunk(empty: Any, truth: Any, block_info: Any = None) -> Any:
    """Make rows of features and, in the last column, labels; the place alone decides which."""
    first = block_info[0]["array-location"][0][0]
    rng = np.random.default_rng([SEED, first])
    data = rng.standard_normal(empty.shape, np.float32)
    chance = 1 / (1 + np.exp(-data[:, :-1] @ truth))
    data[:, -1] = rng.random(len(data), np.float32) < chance
    return data


def make_data(rows: int, features: int, chunk: int) -> Any:
    """Return an array of Dask with features and labels, of which no chunk is there yet."""
    truth = np.random.default_rng(SEED).standard_normal(features).astype(np.float32)
    truth[features // 4 :] = 0  # most features say nothing
    empty = da.empty((rows, features + 1), chunks=(chunk, features + 1), dtype=np.float32)
    return empty.map_blocks(make_chunk, truth, dtype=np.float32, meta=np.empty((0, 0), np.float32))


def gradient_of(data: Any, w: Any) -> Any:
    """Return the gradient of the mean log loss, for arrays of Dask and NumPy alike."""
    x, y = data[:, :-1].astype(np.float64), data[:, -1]
    return x.T @ (1 / (1 + np.exp(-(x @ w))) - y) / len(data)


def solved(client: Client, data: Any, show: bool) -> br.FistaResult:
    """Minimize by passes over the chunks."""

    def gradient(w: Any) -> Any:
        future = client.compute(gradient_of(data, w.copy()))
        if show:
            progress(future)
        return future.result()

    start = np.zeros(data.shape[1] - 1)
    return br.fista(gradient, REGULARIZER, start, tolerance=TOLERANCE)


def solved_in_memory(data: Any) -> br.FistaResult:
    """Minimize the same function with all data in this process."""
    start = np.zeros(data.shape[1] - 1)
    whole = data.compute(scheduler="synchronous")
    return br.fista(lambda w: gradient_of(whole, w), REGULARIZER, start, tolerance=TOLERANCE)


def dropout_in_chunks(client: Client) -> None:
    """Show that the chunks of activations do not decide what is dropped."""
    activations = np.random.default_rng(SEED).standard_normal((4096, 256), np.float32)
    expected = br.dropout(activations, 0.3, seed=SEED)
    for count in (1, 4, 7):
        rows = -(-len(activations) // count)
        layer = br.Dropout(0.3, seed=SEED)
        lazy = layer(da.from_array(activations, chunks=(rows, -1)))
        same = np.array_equal(client.compute(lazy).result(), expected)
        print(f"dropout of {lazy.npartitions} chunks has the bits of one array: {same}")
        if not same:
            raise SystemExit("dropout depends on chunks")


def run(client: Client, arguments: argparse.Namespace) -> None:
    """Solve, compare, drop."""
    rows, features = int(arguments.rows), arguments.features
    data = make_data(rows, features, int(arguments.chunk))
    print(f"{data.nbytes / 1e6:.0f} MB in {data.npartitions} chunks, {arguments.memory} a worker")
    begin = time.perf_counter()
    result = solved(client, data, arguments.progress)
    seconds = time.perf_counter() - begin
    print(f"{result.iterations} iterations in {seconds:.1f} s, converged: {result.converged}")
    print(f"{np.count_nonzero(result.x)} of {features} weights are not zero")
    difference = np.abs(result.x - solved_in_memory(data).x).max()
    print(f"largest difference from the solution in memory: {difference:.1e}")
    if not (result.converged and difference <= 1e-8):
        raise SystemExit("the solutions differ")
    dropout_in_chunks(client)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Elastic-net logistic regression by Dask.")
    parser.add_argument("--rows", type=float, default=1e5, help="(default: %(default)g)")
    parser.add_argument("--features", type=int, default=31, help="(default: %(default)d)")
    parser.add_argument("--chunk", type=float, default=5e4, help="rows (default: %(default)g)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)d)")
    parser.add_argument("--memory", default="256MiB", help="of each worker (default: %(default)s)")
    parser.add_argument("--progress", action="store_true", help="show a bar for each pass")
    arguments = parser.parse_args()
    with (
        LocalCluster(
            n_workers=arguments.workers,
            threads_per_worker=1,
            memory_limit=arguments.memory,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        run(client, arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
