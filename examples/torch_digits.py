"""Exact zeros from a PyTorch optimizer: ProxAdamW beside torch.optim.AdamW on handwritten digits.

    pip install ".[torch,compare]" && python examples/torch_digits.py

trains the same network with both, prints accuracy and zeros, and draws them over the epochs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import bridle.torch

Data = list[torch.Tensor]


def load() -> Data:
    """Return training images, test images and their labels."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images / 16.0, dtype=torch.float32)
    return list(train_test_split(x, torch.tensor(labels), test_size=0.3, random_state=0))


def network() -> torch.nn.Module:
    """Return the same untrained network at every call."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(64, 128),
        torch.nn.ReLU(),
        bridle.torch.Dropout(0.2, seed=1),
        torch.nn.Linear(128, 10),
    )


def zeros(model: torch.nn.Module) -> float:
    """Return the percentage of weights that are exactly zero."""
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    return 100.0 * float((weights == 0).float().mean())


def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Data, epochs: int) -> Any:
    """Return the test accuracy and the zeros, in percent, after each epoch."""
    x, x_test, y, y_test = data
    history = []
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            right = (model(x_test).argmax(1) == y_test).float().mean()
        history.append((100.0 * float(right), zeros(model)))
    return history


def plot(histories: dict[str, Any], path: Path) -> None:
    """Draw accuracy and zeros over the epochs."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for column, (axis, title) in enumerate(
        zip(axes, ("test accuracy (%)", "weights that are exactly zero (%)"), strict=True)
    ):
        for name, history in histories.items():
            axis.plot(range(1, len(history) + 1), [row[column] for row in history], label=name)
        axis.set(title=title, xlabel="epoch")
    axes[1].legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Train both and show what became of them."""
    parser = argparse.ArgumentParser(description="Compare ProxAdamW with torch.optim.AdamW.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("torch-digits.png"))
    arguments = parser.parse_args()
    data, histories = load(), {}
    for name in ("torch.optim.AdamW", "bridle.torch.ProxAdamW"):
        model = network()
        if name.startswith("torch"):
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
        else:
            optimizer = bridle.torch.ProxAdamW(
                model.parameters(), lr=1e-2, weight_decay=1e-2, l1=3e-4
            )
        histories[name] = train(model, optimizer, data, arguments.epochs)
        accuracy, zero = histories[name][-1]
        print(f"{name:24} accuracy {accuracy:5.1f} %   exact zeros {zero:5.1f} %")
    plot(histories, arguments.out)
    print(f"drawn to {arguments.out}")


if __name__ == "__main__":
    main()
