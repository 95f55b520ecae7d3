"""Ignite's own tests of early stopping, on bridle's tracker; argument: Ignite's sources."""

import sys
from pathlib import Path

from ignite.handlers import EarlyStopping
from suite import Suite

import bridle as br

CUMULATIVE = "bridle always adds up gains below the threshold"
SKIPPED = {
    "test_early_stopping_on_last_event_threshold": CUMULATIVE,
    "distrib": "needs several processes, and nothing in it is of one tracker",
}
suite = Suite(SKIPPED)


@suite.replaces(EarlyStopping, "__call__")
def update(self, engine):
    if self.best_score is None:
        self.tracker = br.EarlyStopping(
            self.patience,
            mode=self.mode,
            min_delta=self.threshold,
            delta={"abs": "absolute", "rel": "relative"}[self.threshold_mode],
        )
    if self.tracker.update(self.score_function(engine)):
        self.trainer.terminate()
    self.best_score, self.counter = self.tracker.best, self.tracker.wait


save, load = EarlyStopping.state_dict, EarlyStopping.load_state_dict


@suite.replaces(EarlyStopping, "state_dict")
def state_dict(self):
    return save(self) | {"tracker": self.tracker}


@suite.replaces(EarlyStopping, "load_state_dict")
def load_state_dict(self, state):
    self.tracker = state["tracker"]
    load(self, state)


if __name__ == "__main__":
    sources = Path(sys.argv.pop(1)).resolve()
    suite.run([sources / "tests" / "ignite" / "handlers" / "test_early_stopping.py"])
