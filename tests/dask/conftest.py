"""What the tests of Dask share: arrays, and schedulers in this process and in others."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ..cases import values
from ..conftest import by_name

distributed = pytest.importorskip("dask.distributed")
dask = pytest.importorskip("dask")

from .calls import COLUMNS, FUNCTIONS, ROWS  # noqa: E402

LIMIT = 256 * 2**20  # of the memory of a worker


@pytest.fixture(autouse=True)
def _here():
    """Compute in this thread, where nothing else is asked for."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(**by_name({name: name for name in FUNCTIONS}))
def name(request):
    return request.param


@pytest.fixture(scope="session")
def weights():
    """Return finite weights of a type."""

    def make(dtype=np.float32):
        return values(np.dtype(dtype), ROWS * COLUMNS, finite=True).reshape(ROWS, COLUMNS)

    return make


@pytest.fixture(scope="session")
def found_by_processes():
    """Let new processes find the tests, whatever started these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2])])
        yield


@pytest.fixture(scope="session")
def client(found_by_processes):
    """Two worker processes with little memory, that are started again where they are killed."""
    with (
        dask.config.set({"distributed.admin.tick.limit": "1h"}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            memory_limit=LIMIT,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client
