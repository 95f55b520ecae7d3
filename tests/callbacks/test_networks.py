"""The best weights of networks come back, and their checkpoints hold the tracker's state."""

import contextlib
import math

import numpy as np
import pytest

import bridle as br

from .frameworks import FRAMEWORKS, THEIR_WARNINGS, Script, X, Y, imported

pytestmark = THEIR_WARNINGS
VALUES = [3.0, 2.0, 1.0, 2.0, 2.0, 0.0]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def keras_watcher(weights):
    import keras

    class Watcher(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights.append([w.copy() for w in self.model.get_weights()])

    return Watcher(), lambda model: model.get_weights()


def tensors(model):
    return [t.detach().float().numpy().copy() for t in model.state_dict().values()]


def lightning_watcher(weights):
    from lightning.pytorch import Callback

    class Watcher(Callback):
        def on_train_epoch_end(self, trainer, module):
            weights.append(tensors(module))

    return Watcher(), tensors


def transformers_watcher(weights):
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_evaluate(self, args, state, control, model=None, **others):
            weights.append(tensors(model))

    return Watcher(), tensors


WATCHERS = {
    "keras": keras_watcher,
    "lightning": lightning_watcher,
    "transformers": transformers_watcher,
}


@pytest.mark.parametrize("name", WATCHERS)
@pytest.mark.parametrize("values", [VALUES, VALUES[:4]], ids=["stopped", "to the end"])
def test_the_best_weights_come_back_whatever_ended_training(name, values):
    adapter, framework, weights = imported(name), FRAMEWORKS[name], []
    watcher, weights_of = WATCHERS[name](weights)
    stopping = adapter.EarlyStopping(
        2, mode="min", monitor=framework.monitor.format("first"), restore_best_weights=True
    )
    model, evaluations = framework.run(stopping, Script(values), others=[watcher])
    assert len(weights) == evaluations == min(len(values), 5)
    for restored, best, last in zip(weights_of(model), weights[2], weights[-1], strict=True):
        np.testing.assert_array_equal(restored, best)
        assert restored.ndim == 0 or (best != last).any()


def test_keras_judges_epochs_with_validation():
    adapter = imported("keras")
    stopping = adapter.EarlyStopping(2, mode="min", monitor="val_first")
    _, evaluations = FRAMEWORKS["keras"].run(stopping, Script(VALUES), validation_freq=3, epochs=90)
    assert (evaluations, stopping.tracker.best_epoch, stopping.tracker.stopped_epoch) == (5, 8, 14)


@pytest.mark.parametrize(("epochs", "fails"), [(1, False), (2, True)])
def test_keras_without_validation_is_an_error_in_the_end(epochs, fails):
    adapter = imported("keras")
    stopping = adapter.EarlyStopping(2, mode="min", monitor="val_loss")
    options = {"validation_data": None, "epochs": epochs}
    match = "got 'val_loss', not among 'loss'; did you mean 'loss'"
    with pytest.raises(ValueError, match=match) if fails else contextlib.nullcontext():
        FRAMEWORKS["keras"].run(stopping, Script([]), **options)


def test_lightning_goes_on_from_its_checkpoints(tmp_path):
    adapter, run = imported("lightning"), FRAMEWORKS["lightning"].run
    from lightning.pytorch.callbacks import ModelCheckpoint

    values = [8.0, 2.0, 4.0, 2.0, 9.0, 9.0, 1.0]
    keywords = {"mode": "min", "monitor": "first", "smoothing": 0.5, "restore_best_weights": True}
    whole = adapter.EarlyStopping(2, **keywords)
    run(whole, Script(values))
    first = adapter.EarlyStopping(9, **keywords)
    keep = ModelCheckpoint(tmp_path, filename="last", save_on_train_epoch_end=True)
    model, _ = run(first, Script(values[:4]), others=[keep], enable_checkpointing=True)
    second = adapter.EarlyStopping(2, **keywords)
    again, evaluations = run(
        second, Script(values[4:]), ckpt_path=tmp_path / "last.ckpt", max_epochs=9
    )
    ours, theirs = second.tracker, whole.tracker
    assert (ours.metrics, ours.reason) == (theirs.metrics, theirs.reason)
    assert (ours.stopped_epoch, ours.patience, evaluations) == (theirs.stopped_epoch, 2, 2)
    for restored, best in zip(tensors(again), tensors(model), strict=True):
        np.testing.assert_array_equal(restored, best)


def test_lightning_judges_validations_where_they_are_not_epochs():
    adapter, run = imported("lightning"), FRAMEWORKS["lightning"].run
    for options, epochs in (
        ({"check_val_every_n_epoch": 2, "max_epochs": 90}, 10),
        ({"val_check_interval": 1, "max_epochs": 90, "batches": 2}, 3),
        ({"val_check_interval": 0.5, "max_epochs": 90, "batches": 2}, 3),
    ):
        stopping = adapter.EarlyStopping(2, mode="min", monitor="first")
        script = Script(VALUES)
        model, evaluations = run(stopping, script, **options)
        assert (evaluations, stopping.tracker.stopped_epoch) == (5, 4)
        assert model.trainer.current_epoch == epochs


def test_lightning_judges_no_other_validations():
    adapter, run = imported("lightning"), FRAMEWORKS["lightning"].run
    stopping = adapter.EarlyStopping(9, mode="min", monitor="first")
    stopping.load_state_dict(stopping.state_dict())  # so that nothing is forgotten
    script = Script([*VALUES[:3], 0.0])
    model, _ = run(stopping, script, check_val_every_n_epoch=1, val_check_interval=1, max_epochs=3)
    assert stopping.tracker.best == 1.0  # not the -9 of the sanity check
    model.trainer.validate(model, model.trainer.val_dataloaders, verbose=False)
    assert (script.count, stopping.tracker.best) == (4, 1.0)


def test_lightning_judges_epochs_where_there_are_no_validations():
    adapter, run = imported("lightning"), FRAMEWORKS["lightning"].run
    stopping = adapter.EarlyStopping(2, mode="max", monitor="train_loss")
    model, _ = run(stopping, Script(VALUES), validates=False)
    assert model.trainer.current_epoch == 3  # the loss falls
    assert (stopping.tracker.best_epoch, stopping.tracker.stopped_epoch) == (0, 2)


@pytest.mark.parametrize("restores", [False, True], ids=["", "the Trainer restores callbacks"])
def test_transformers_goes_on_from_its_checkpoints(tmp_path, restores):
    adapter, run = imported("transformers"), FRAMEWORKS["transformers"].run
    values = [8.0, 2.0, 4.0, 2.0, 9.0, 9.0, 1.0]
    keywords = {"mode": "min", "monitor": "eval_first", "smoothing": 0.5}
    whole = adapter.EarlyStopping(2, **keywords)
    run(whole, Script(values))
    folder, saving = str(tmp_path / "run"), {"save_strategy": "epoch"}
    run(adapter.EarlyStopping(9, **keywords), Script(values[:4]), folder=folder, **saving)
    second = adapter.EarlyStopping(2, **keywords)
    rest = Script(values[4:])
    rest.first += [0.0] * 4  # for the number of epochs, which are counted from the beginning
    options = {"restore_callback_states_from_checkpoint": restores}
    _, evaluations = run(second, rest, folder=folder, resume=f"{folder}/checkpoint-4", **options)
    ours, theirs = second.tracker, whole.tracker
    assert (ours.metrics, ours.reason) == (theirs.metrics, theirs.reason)
    assert (ours.stopped_epoch, ours.patience, evaluations) == (theirs.stopped_epoch, 2, 2)


def test_transformers_judges_all_data_sets_of_a_step_together():
    adapter, run = imported("transformers"), FRAMEWORKS["transformers"].run
    data = [{"x": x, "labels": y} for x, y in zip(X[:9], Y[:9], strict=True)]
    monitor = {"eval_a_first": "min", "eval_c_first": "min"}
    stopping = adapter.EarlyStopping(2, mode=None, monitor=monitor)
    values = [v for value in VALUES for v in (value, math.nan, value + 1)]
    script = Script(values)
    _, count = run(stopping, script, sets={"a": data, "b": data, "c": data})
    assert (count, stopping.tracker.stopped_epoch) == (15, 4)
    assert [s.best for s in stopping.tracker.metrics.values()] == [1.0, 2.0]


def test_transformers_judges_no_evaluation_after_training():
    adapter, run = imported("transformers"), FRAMEWORKS["transformers"].run
    stopping = adapter.EarlyStopping(9, mode="min", monitor="eval_first")
    run(stopping, Script([1.0, 2.0]))
    assert stopping.tracker.reason is br.StopReason.NONE
    stopping.on_evaluate(None, None, None, {"test_first": 0.0})
    assert stopping.tracker.best == 1.0
