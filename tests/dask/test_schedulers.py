"""One graph, whoever computes it: threads, processes, a cluster whose workers die or are small."""

import dask
import numpy as np
import pytest

from . import jobs
from .calls import CHUNKS, FUNCTIONS
from .conftest import LIMIT


def flat(results):
    """Return the numbers of nested results as bytes."""
    if isinstance(results, tuple | list):
        return [each for result in results for each in flat(result)]
    return [np.asarray(results).tobytes()]


@pytest.fixture(scope="module")
def graphs(weights, found_by_processes):
    """Return all functions of one array, and some steps."""
    x = dask.array.from_array(weights(), CHUNKS["both"])
    apart = jobs.step(x.T[3:, 1:])  # whose blocks lie in another order where they were made
    return [*[function(x, **options) for function, options in FUNCTIONS.values()], apart]


@pytest.fixture(scope="module")
def expected(graphs):
    return flat(dask.compute(graphs, scheduler="synchronous"))


@pytest.mark.parametrize(
    ("scheduler", "workers"), [("threads", 1), ("threads", 3), ("processes", 2)]
)
def test_every_scheduler_gives_the_same_bits(scheduler, workers, graphs, expected):
    found = dask.compute(graphs, scheduler=scheduler, num_workers=workers)
    assert flat(found) == expected


def test_worker_processes_give_the_same_bits(client, graphs, expected):
    assert flat(dask.compute(graphs, scheduler=client)) == expected


def test_a_worker_that_is_killed_changes_nothing(client, tmp_path):
    shape, chunks = (400, 300), (100, 100)
    x = jobs.generated(shape, chunks)
    path = str(tmp_path / "killed")
    dying = x.map_blocks(jobs.killing_once, path=path, victim=(2, 1), dtype=x.dtype, meta=x._meta)
    expected = dask.compute(jobs.step(x), scheduler="synchronous")
    before = set(client.run(jobs.os.getpid).values())
    assert flat(dask.compute(jobs.step(dying), scheduler=client)) == flat(expected)
    assert (tmp_path / "killed").exists()
    client.wait_for_workers(2)
    assert set(client.run(jobs.os.getpid).values()) != before


def test_an_array_beyond_the_memory_of_the_workers_flows_through(client):
    x = jobs.generated((9_000, 24_000), (500, 3_000))
    assert x.nbytes > 3 * LIMIT
    client.wait_for_workers(2)
    before = client.run(jobs.os.getpid)
    ((penalty, summary),) = dask.compute(jobs.flow(x), scheduler=client)
    assert client.run(jobs.os.getpid) == before  # none was stopped for what it took
    assert penalty == pytest.approx(summary.penalty * 10, rel=1e-12)
    assert summary.finite
