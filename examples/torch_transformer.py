"""A transformer in bfloat16 with float32 masters, in two processes: exact zeros beside AdamW.

    pip install ".[torch,compare]" && python examples/torch_transformer.py

trains a small transformer that sorts digits, sharded over two processes by FSDP2, on the CPU. Its
weights are bfloat16; bridle.torch.ProxAdamW keeps float32 masters and moments of the shards of each
process, clips without writing a gradient, and makes weights exact zeros. torch.optim.AdamW trains
the same network as FSDP2 has it, with float32 weights that are cast for each pass. Dropout draws
the masks that one process with the whole batch would draw.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor.parallel import SequenceParallel, parallelize_module

import bridle.torch

PROCESSES = 2


@dataclass(frozen=True)
class Config:
    """The network, the task and the training."""

    digits: int = 6
    width: int = 64
    heads: int = 4
    layers: int = 2
    dropout: float = 0.05
    batch: int = 32
    """Sequences in each process."""
    lr: float = 5e-3
    weight_decay: float = 1e-2
    l1: float = 3e-4
    max_norm: float = 1.0
    steps: int = 120


class Step(NamedTuple):
    """What is drawn of a step."""

    number: int
    loss: float
    zeros: float
    """Percentage of the weights in matrices that are exactly zero."""


class Sorter(nn.Module):
    """Reads digits, and writes them again in order, one after the other."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, config.width)
        self.position = nn.Parameter(0.02 * torch.randn(2 * config.digits - 1, config.width))
        block = nn.TransformerEncoderLayer(
            config.width, config.heads, 4 * config.width, 0.0, batch_first=True, norm_first=True
        )
        for seed, name in enumerate(("dropout", "dropout1", "dropout2")):
            setattr(block, name, bridle.torch.Dropout(config.dropout, seed=seed))
        # The blocks are copies, and the masks of copies differ.
        self.blocks = nn.TransformerEncoder(block, config.layers, enable_nested_tensor=False)
        self.head = nn.Linear(config.width, 10, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits of the next digit, for those that are to be written."""
        x = self.embedding(tokens) + self.position
        past = torch.triu(torch.full((x.shape[1],) * 2, -torch.inf, dtype=x.dtype), 1)
        return self.head(self.blocks(x, mask=past, is_causal=True)[:, tokens.shape[1] // 2 :])


def sharded(config: Config, mesh: DeviceMesh, **options: Any) -> Sorter:
    """Return the same untrained network at every call, its parts shared out."""
    torch.manual_seed(0)
    model = Sorter(config).to(options.pop("dtype"))
    examples = SequenceParallel(sequence_dim=0, use_local_output=True)
    parallelize_module(model, mesh, {"blocks.layers.*.dropout*": examples})
    return fully_shard(model, mesh=mesh, **options)


def batch_of(config: Config, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what this process reads and should write; each step and process has its own."""
    generator = torch.Generator().manual_seed(step * PROCESSES + dist.get_rank())
    digits = torch.randint(10, (config.batch, config.digits), generator=generator)
    ordered = digits.sort(dim=1).values
    return torch.cat((digits, ordered[:, :-1]), dim=1), ordered


def mean(*numbers: torch.Tensor) -> list[float]:
    """Return the means over all processes."""
    every = torch.stack([number.detach().double() for number in numbers])
    dist.all_reduce(every)
    return (every / PROCESSES).tolist()


def zeros(matrices: list[nn.Parameter]) -> torch.Tensor:
    """Return this process' share in the percentage of weights that are exactly zero."""
    count = sum((p.to_local() == 0).sum() for p in matrices)
    return 100.0 * PROCESSES * count / sum(p.numel() for p in matrices)


def train(config: Config, model: Sorter, optimizer: torch.optim.Optimizer) -> list[Step]:
    """Return loss and zeros of every fifth step, and of the last."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    history = []
    for step in range(config.steps):
        tokens, ordered = batch_of(config, step)
        loss = nn.functional.cross_entropy(model(tokens).float().flatten(0, 1), ordered.flatten())
        optimizer.zero_grad()
        loss.backward()
        if isinstance(optimizer, bridle.torch.ProxAdamW):  # whose step scales what it reads
            bridle.torch.clip_grad_norm_(model.parameters(), config.max_norm, optimizer=optimizer)
        else:
            nn.utils.clip_grad_norm_(model.parameters(), config.max_norm)
        for group in optimizer.param_groups:
            group["lr"] = config.lr * (1 - step / config.steps)
        optimizer.step()
        if step % 5 == 4 or step + 1 == config.steps:
            history.append(Step(step + 1, *mean(loss, zeros(matrices))))
    return history


@torch.no_grad()
def accuracy(config: Config, model: Sorter) -> float:
    """Return the percentage of new digits that are right."""
    tokens, ordered = batch_of(config, -1)
    return 100.0 * mean((model.eval()(tokens).argmax(-1) == ordered).float().mean())[0]


def adamw(config: Config, mesh: DeviceMesh) -> tuple[Sorter, torch.optim.Optimizer]:
    """Return the network with float32 weights, cast for each pass, and PyTorch's optimizer."""
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16)
    model = sharded(config, mesh, dtype=torch.float32, mp_policy=policy)
    return model, torch.optim.AdamW(groups(config, model), lr=config.lr)


def prox_adamw(config: Config, mesh: DeviceMesh) -> tuple[Sorter, torch.optim.Optimizer]:
    """Return the network with bfloat16 weights, and bridle's optimizer, which has the masters."""
    model = sharded(config, mesh, dtype=torch.bfloat16)
    matrices, others = groups(config, model)
    matrices["l1"] = config.l1
    return model, bridle.torch.ProxAdamW([matrices, others], lr=config.lr, master_weights=True)


def groups(config: Config, model: Sorter) -> list[dict[str, Any]]:
    """Return the matrices, which decay, and the other parameters."""
    every = list(model.parameters())
    return [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in every if p.ndim == 1], "weight_decay": 0.0},
    ]


def plot(histories: dict[str, list[Step]], path: Path) -> None:
    """Draw loss and zeros over the steps."""
    import matplotlib  # which the other processes have no need of

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for name, history in histories.items():
        steps, *columns = zip(*history, strict=True)
        for axis, column in zip(axes, columns, strict=True):
            axis.plot(steps, column, label=name)
    axes[0].set(title="loss", xlabel="step", ylim=(0, None))
    axes[1].set(title="weights that are exactly zero (%)", xlabel="step")
    axes[1].legend()
    figure.savefig(path, dpi=120)


def process(rank: int, meeting: str, config: Config, out: Path) -> None:
    """Train both in one of the processes; the first of them tells."""
    torch.set_num_threads(1)
    bridle.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=PROCESSES)
    mesh, histories = init_device_mesh("cpu", (PROCESSES,)), {}
    for name, make in (("torch.optim.AdamW", adamw), ("bridle.torch.ProxAdamW", prox_adamw)):
        begin = time.perf_counter()
        model, optimizer = make(config, mesh)
        histories[name] = train(config, model, optimizer)
        seconds, right = time.perf_counter() - begin, accuracy(config, model)
        if rank == 0:
            _, loss, zero = histories[name][-1]
            print(f"{name:24} loss {loss:6.3f}   right {right:5.1f} %   ", end="")
            print(f"exact zeros {zero:5.1f} %   {seconds:4.1f} s")
    if rank == 0:
        plot(histories, out)
        print(f"drawn to {out}")
    dist.barrier()
    dist.destroy_process_group()


def main() -> None:
    """Train both and show what became of them."""
    parser = argparse.ArgumentParser(description="Train a transformer with ProxAdamW and AdamW.")
    parser.add_argument("--steps", type=int, default=Config.steps)
    parser.add_argument("--l1", type=float, default=Config.l1)
    parser.add_argument("--out", type=Path, default=Path("torch-transformer.png"))
    arguments = parser.parse_args()
    config = Config(steps=arguments.steps, l1=arguments.l1)
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        torch.multiprocessing.spawn(process, (meeting, config, arguments.out), nprocs=PROCESSES)


if __name__ == "__main__":
    main()
