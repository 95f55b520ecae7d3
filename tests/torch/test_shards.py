"""Parameters that are sharded over two processes, as FSDP's are: the bits of one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch knows one process alone", allow_module_level=True)

PROGRAM = Path(__file__).parent / "ranks.py"
SECONDS = 60  # after which a process no longer waits for the other one


class Processes:
    """Two processes that do the same."""

    def __init__(self, folder):
        meeting = str(folder / "meeting")
        interface = "lo" if sys.platform == "linux" else "lo0"
        self.every = [
            subprocess.Popen(
                [sys.executable, str(PROGRAM), str(rank), meeting, str(SECONDS)],
                env=os.environ | {"GLOO_SOCKET_IFNAME": interface},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]

    def run(self, name, **arguments):
        """Call a function of the program in both, and return what each of them answers."""
        for process in self.every:
            process.stdin.write(json.dumps([name, arguments]) + "\n")
            process.stdin.flush()
        return [self.answer(process) for process in self.every]

    def answer(self, process):
        line = process.stdout.readline()
        return json.loads(line) if line else f"ended with {process.wait()}"

    def close(self):
        for process in self.every:
            process.stdin.close()
        try:
            for process in self.every:
                process.wait(SECONDS)
        finally:
            for process in self.every:
                process.kill()
                process.wait()
                process.stdout.close()


class Calls:
    """Calls of functions that must succeed; after one that does not, others take their place."""

    def __init__(self, folder):
        self.folder, self.started, self.processes = folder, 0, None

    def __call__(self, name, **arguments):
        if self.processes is None:
            self.started += 1
            folder = self.folder / str(self.started)
            folder.mkdir()
            self.processes = Processes(folder)
        answers = self.processes.run(name, **arguments)
        if answers != ["", ""]:
            self.close()
            pytest.fail("\n\n".join(f"process {i}: {answer}" for i, answer in enumerate(answers)))

    def close(self):
        if self.processes is not None:
            self.processes.close()
            self.processes = None


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    calls = Calls(tmp_path_factory.mktemp("two"))
    yield calls
    calls.close()


KINDS = ["ProxSGD", "ProxAdamW"]
LAYOUTS = ["by_fully_shard", "by_columns", "mixed"]
MIXED = [
    ("float32", {}),
    ("bfloat16", {"master_weights": True}),
    ("bfloat16", {"master_weights": True, "rounding": "stochastic", "seed": 7}),
    ("float16", {"rounding": "stochastic", "seed": 7}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("dtype", "options"), MIXED)
def test_two_processes_end_with_the_bits_of_one(two, kind, layout, dtype, options):
    two(
        "two_processes_end_with_the_bits_of_one",
        kind=kind,
        layout=layout,
        dtype=dtype,
        options=options,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_that_of_one_process(two, kind):
    two("training_is_that_of_one_process", kind=kind)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_are_clipped_by_the_norm_of_all_shards(two, layout):
    two("gradients_are_clipped_by_the_norm_of_all_shards", layout=layout)


@pytest.mark.parametrize(
    "what",
    [
        "a_weight_that_is_not_finite_is_seen_by_all",
        "gradients_of_other_placements_are_brought_to_those_of_their_parameters",
        "processes_without_gradients_take_part",
        "an_error_in_one_process_leaves_it_as_it_was",
    ],
)
def test_in_two_processes(two, what):
    two(what)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sharded", [True, False], ids=["in two", "in one"])
@pytest.mark.parametrize(
    "how", [{}, {"flatten_optimizer_state_dict": True}], ids=["nested", "flat"]
)
def test_a_checkpoint_of_two_processes_goes_on_bit_for_bit(two, kind, sharded, how, tmp_path):
    two(
        "a_checkpoint_goes_on_bit_for_bit",
        kind=kind,
        folder=str(tmp_path),
        how=how,
        sharded=sharded,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_state_is_sent_from_one_process(two, kind):
    two("a_whole_state_is_sent_from_one_process", kind=kind)


def test_where_a_process_is_killed_the_other_one_is_told_and_no_checkpoint_looks_whole(tmp_path):
    processes = Processes(tmp_path)
    try:
        told, killed = processes.run("the_other_one_is_killed", folder=str(tmp_path / "saved"))
        assert (told, killed) == ("", "ended with 1")
        assert not (tmp_path / "saved" / ".metadata").exists()
    finally:
        processes.close()
