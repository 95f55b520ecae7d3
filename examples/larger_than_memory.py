"""AdamW for weights that are larger than the memory: in files, bucket by bucket.

    python examples/larger_than_memory.py --folder /data/model --elements 1e9 --steps 10

Weights and moments (float32) lie in files, as do the gradient that the backward pass has left and
the copy of the weights for the next forward pass (both bfloat16). A bucket of each is mapped at a
time, so that memory holds no more than one of them, and each step writes files of its own beside
those of the step before. A run that was stopped, killed or lost its power goes on with the step
that it was in: start it once more. It says how fast the disk alone moves the same bytes.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

import bridle as br

FLOAT32, BFLOAT16 = np.dtype(np.float32), np.dtype(ml_dtypes.bfloat16)
STATE = ("weights", "first_moment", "second_moment")
HALVES = ("gradient", "weights_in_bfloat16")
LEARNING_RATE, L1, WEIGHT_DECAY, SEED = 1e-2, 0.5, 1e-2, 1
MOVED = 2 * (len(STATE) * FLOAT32.itemsize + BFLOAT16.itemsize)  # bytes of an element in a step


class Model:
    """Files of `elements` numbers in a folder, and what is done with them."""

    def __init__(self, folder: Path, elements: int, bucket: int) -> None:
        self.folder, self.elements, self.bucket = folder, elements, bucket

    def buckets(self) -> Iterator[slice]:
        """Give the parts of which one is mapped at a time."""
        for begin in range(0, self.elements, self.bucket):
            yield slice(begin, min(begin + self.bucket, self.elements))

    def halves(self, name: str, part: slice, mode: Any) -> Any:
        """Map a part of the gradient, or of the copy of the weights."""
        return _mapped(self.folder / name, BFLOAT16, part, mode)

    def state(self, steps: int, name: str, part: slice, mode: Any) -> Any:
        """Map a part of the weights or a moment as it is after so many steps."""
        return _mapped(self._folder(steps) / name, FLOAT32, part, mode)

    def _folder(self, steps: int) -> Path:
        return self.folder / f"state-{steps % 2}"  # the one before and the one after

    def create(self) -> None:
        """Make all files, with random weights and a gradient."""
        files = [self.folder / name for name in HALVES]
        for steps in (0, 1):
            self._folder(steps).mkdir(parents=True, exist_ok=True)
            files += [self._folder(steps) / name for name in STATE]
        for path in files:
            dtype = BFLOAT16 if path.name in HALVES else FLOAT32
            with open(path, "wb") as file:
                file.truncate(self.elements * dtype.itemsize)  # zeros
                os.fsync(file.fileno())
        for part in self.buckets():
            rng = np.random.default_rng([SEED, part.start])
            for array in (
                self.state(0, "weights", part, "r+"),
                self.halves("gradient", part, "r+"),
            ):
                array[...] = rng.standard_normal(array.size, np.float32)
                array.flush()
        self.finish(0)

    def finish(self, steps: int) -> None:
        """Write down how many steps are complete, all at once or not at all."""
        temporary = self.folder / "steps.new"
        with open(temporary, "w") as file:
            file.write(str(steps))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.folder / "steps")
        directory = os.open(self.folder, os.O_RDONLY)
        os.fsync(directory)  # before the next step overwrites the state of the one before
        os.close(directory)

    def finished(self) -> int:
        """Return how many steps are complete; the files are made where there are none."""
        path = self.folder / "steps"
        if not path.exists():
            self.create()
        size = (self.folder / "gradient").stat().st_size // BFLOAT16.itemsize
        if size != self.elements:
            raise SystemExit(f"{self.folder} holds {size} elements, not {self.elements}")
        return int(path.read_text())

    def step(self, number: int) -> br.UpdateSummary:
        """Make step `number` out of what the step before has left."""
        penalty, nonzeros, finite = 0.0, 0, True
        for part in self.buckets():
            copy = self.halves("weights_in_bfloat16", part, "r+")
            state = [self._moved(number, name, part) for name in STATE]
            summary = br.adamw_update(
                state[0],
                self.halves("gradient", part, "r"),
                *state[1:],
                LEARNING_RATE,
                number,
                l1=L1,
                weight_decay=WEIGHT_DECAY,
                copy_out=copy,
                rounding="stochastic",
                seed=SEED,
                offset=part.start,  # random bits are those of the position in the whole
            )
            for array in (*state, copy):
                array.flush()
            penalty, nonzeros = penalty + summary.penalty, nonzeros + summary.nonzeros
            finite &= summary.finite
        self.finish(number)
        return br.UpdateSummary(penalty, nonzeros, finite)

    def move(self, number: int) -> None:
        """Read and write what step `number` does, and do nothing else: the next step repeats it."""
        for part in self.buckets():
            copy = self.halves("weights_in_bfloat16", part, "r+")
            copy[...] = self.halves("gradient", part, "r")
            for array in (*[self._moved(number, name, part) for name in STATE], copy):
                array.flush()

    def _moved(self, number: int, name: str, part: slice) -> Any:
        new = self.state(number, name, part, "r+")
        new[...] = self.state(number - 1, name, part, "r")
        return new

    def forget(self) -> None:
        """Let the system drop what it has in memory of the files, so that the disk is measured."""
        for path in self.folder.rglob("*"):
            if path.is_file() and hasattr(os, "posix_fadvise"):
                with open(path) as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _mapped(path: Path, dtype: np.dtype[Any], part: slice, mode: Any) -> Any:
    return np.memmap(path, dtype, mode, part.start * dtype.itemsize, (part.stop - part.start,))


def run(model: Model, steps: int) -> None:
    """Go on until so many steps are complete."""
    done = model.finished()
    print(f"{done} steps are complete")
    gigabytes = model.elements * MOVED / 1e9
    if done < steps:
        model.forget()
        begin = time.perf_counter()
        model.move(done + 1)
        print(f"disk alone: {gigabytes / (time.perf_counter() - begin):.2f} GB/s")
    for number in range(done + 1, steps + 1):
        model.forget()
        begin = time.perf_counter()
        summary = model.step(number)
        speed = gigabytes / (time.perf_counter() - begin)
        zeros = 100 * (1 - summary.nonzeros / model.elements)
        print(
            f"step {number}: {speed:.2f} GB/s, penalty {summary.penalty:.6g}, {zeros:.2f} % zeros"
        )


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="AdamW over files, bucket by bucket.")
    parser.add_argument("--folder", type=Path, help="of the files (default: a temporary one)")
    parser.add_argument("--elements", type=float, default=4e6, help="(default: %(default)g)")
    parser.add_argument("--bucket", type=float, default=2**18, help="elements (default: 262144)")
    parser.add_argument("--steps", type=int, default=3, help="(default: %(default)d)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        model = Model(folder, int(arguments.elements), int(arguments.bucket))
        try:
            run(model, arguments.steps)
        except KeyboardInterrupt:
            print("stopped; the same command goes on with the step that was interrupted")
            return 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # of Linux' KiB
    files = model.elements * (2 * len(STATE) * FLOAT32.itemsize + 2 * BFLOAT16.itemsize) / 2**20
    print(f"peak resident memory {peak:.0f} MB, with files of {files:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
