"""Lightning's own tests of early stopping, on bridle's tracker; argument: Lightning's sources."""

import sys
from pathlib import Path

import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from suite import Suite

import bridle as br

SKIPPED = {"ddp_spawn": "starts processes, which would not have the replacement"}
suite = Suite(SKIPPED)

REASONS = {
    br.StopReason.NONE: (EarlyStoppingReason.NOT_STOPPED, None),
    br.StopReason.PATIENCE: (EarlyStoppingReason.PATIENCE_EXHAUSTED, "did not improve"),
    br.StopReason.TARGET: (EarlyStoppingReason.STOPPING_THRESHOLD, "Stopping threshold reached"),
    br.StopReason.DIVERGED: (
        EarlyStoppingReason.DIVERGENCE_THRESHOLD,
        "Divergence threshold reached",
    ),
    br.StopReason.NOT_FINITE: (EarlyStoppingReason.NON_FINITE_METRIC, "is not finite"),
}


@suite.replaces(EarlyStopping, "_evaluate_stopping_criteria")
def evaluate(self, current):
    if "tracker" not in vars(self):
        self.tracker = br.EarlyStopping(
            self.patience,
            mode=self.mode,
            min_delta=abs(self.min_delta),
            nan="stop" if self.check_finite else "ignore",
            target=self.stopping_threshold,
            divergence=self.divergence_threshold,
        )
    stops = self.tracker.update(current)
    self.wait_count = self.tracker.wait
    if self.tracker.best is not None:
        self.best_score = torch.tensor(self.tracker.best)
    self.stopping_reason, message = REASONS[self.tracker.reason]
    return stops, message


if __name__ == "__main__":
    sources = Path(sys.argv.pop(1)).resolve()
    suite.run([sources / "tests" / "tests_pytorch" / "callbacks" / "test_early_stopping.py"])
