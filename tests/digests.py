"""Print a digest of what every function computes, so that machines can be compared.

    python -m tests.digests > here.txt
    diff here.txt there.txt

A line begins with the digest of the operands: where it differs, so did the machines' NumPy.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .memmap_calls import CALLS
from .test_same_bits import computations

# LAPACK has a part in their results, and promises no bits.
BY_LAPACK = ("nuclear", "orthogonal")


def digest(arrays: Any) -> str:
    """Return that of arrays and numbers; the bits of a NaN are the processor's affair."""
    total = hashlib.sha256()
    for array in arrays:
        array = np.array(array, order="C", ndmin=1)
        if array.dtype.kind in "fcV":
            array[np.isnan(array)] = np.nan
        total.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return total.hexdigest()[:16]


def flat(result: Any) -> Iterator[Any]:
    if isinstance(result, dict):
        result = result.values()
    elif not isinstance(result, (tuple, list)):
        yield result
        return
    for part in result:
        yield from flat(part)


def main() -> None:
    for name, call in CALLS.items():
        if not any(word in name for word in BY_LAPACK):
            arrays = call.arrays(700)
            operands = digest(arrays.values())
            results = [*flat(call.run(arrays)), *arrays.values()]
            kept = [r for r in results if isinstance(r, (np.ndarray, np.generic, float, int))]
            print(operands, name, digest(kept), flush=True)
    for row in computations():
        compute, x = row.values
        print(digest([x]), row.id, digest(flat(compute(x))), flush=True)


if __name__ == "__main__":
    main()
