"""The best iterations of boosted trees are kept as each library keeps them."""

import inspect
import pickle

import numpy as np
import pytest

import bridle as br

from .frameworks import FRAMEWORKS, THEIR_WARNINGS, Script, X, Y, imported

pytestmark = THEIR_WARNINGS
VALUES = [3.0, 2.0, 1.0, 2.0, 2.0, 0.0]
MONITOR = "held_out-first"


def test_xgboost_knows_its_best_iteration():
    adapter = imported("xgboost")
    run = FRAMEWORKS["xgboost"].run
    model, _ = run(adapter.EarlyStopping(2, mode="min", monitor=MONITOR), Script(VALUES))
    assert (model.best_iteration, model.best_score) == (2, 1.0)
    assert model.num_boosted_rounds() == 5
    kept = adapter.EarlyStopping(2, mode="min", monitor=MONITOR, restore_best_weights=True)
    cut, _ = run(kept, Script(VALUES))
    assert (cut.best_iteration, cut.best_score, cut.num_boosted_rounds()) == (2, 1.0, 3)
    # Of a booster that training continues, the earlier iterations are counted, too.
    more = adapter.EarlyStopping(2, mode="min", monitor=MONITOR, restore_best_weights=True)
    longer, _ = run(more, Script(VALUES), xgb_model=cut)
    assert (more.tracker.best_epoch, more.tracker.stopped_epoch) == (5, 7)
    assert (longer.best_iteration, longer.num_boosted_rounds()) == (5, 6)


def test_xgboost_without_a_best_iteration_is_left_as_it_is():
    adapter = imported("xgboost")
    stopping = adapter.EarlyStopping(2, mode="min", monitor=MONITOR, restore_best_weights=True)
    model, _ = FRAMEWORKS["xgboost"].run(stopping, Script([np.nan, 1.0]))
    assert model.num_boosted_rounds() == 1
    assert model.attr("best_iteration") is None


def test_xgboost_cross_validation_and_estimators():
    adapter = imported("xgboost")
    import xgboost

    data, options = xgboost.DMatrix(X, Y), {"nthread": 1, "max_depth": 6, "eta": 1.0}
    stopping = adapter.EarlyStopping(2, mode="min", monitor="test-rmse")
    history = xgboost.cv(options, data, 30, nfold=2, callbacks=[stopping], as_pandas=False)
    assert stopping.tracker.best == min(history["test-rmse-mean"])
    assert len(history["test-rmse-mean"]) == stopping.tracker.best_epoch + 1
    refused = adapter.EarlyStopping(2, mode="min", monitor="rmse", restore_best_weights=True)
    with pytest.raises(ValueError, match="restore_best_weights must be False for cv"):
        xgboost.cv(options, data, 30, nfold=2, callbacks=[refused])
    pytest.importorskip("sklearn")
    stopping = pickle.loads(pickle.dumps(adapter.EarlyStopping(2, mode="min", monitor="rmse")))
    model = xgboost.XGBRegressor(n_estimators=30, n_jobs=1, learning_rate=1.0, callbacks=[stopping])
    for _ in range(2):
        model.fit(X[:20], Y[:20], eval_set=[(X[20:], Y[20:])], verbose=False)
        history = model.evals_result()["validation_0"]["rmse"]
        best = int(np.argmin(history))
        assert model.best_iteration == stopping.tracker.best_epoch == best < len(history) - 1
        np.testing.assert_array_equal(
            model.predict(X), model.predict(X, iteration_range=(0, best + 1))
        )


@pytest.mark.parametrize("values", [VALUES, VALUES[:4]], ids=["stopped", "to the end"])
def test_lightgbm_knows_its_best_iteration_whatever_ends_training(values):
    adapter, run = imported("lightgbm"), FRAMEWORKS["lightgbm"].run
    stopping = adapter.EarlyStopping(2, mode="min", monitor=MONITOR)
    model, evaluations = run(stopping, Script(values), keep_training_booster=True)
    assert evaluations == model.current_iteration() == min(len(values), 5)
    assert model.best_iteration == 3
    assert model.best_score["held_out"]["first"] == 1.0
    np.testing.assert_array_equal(model.predict(X), model.predict(X, num_iteration=3))
    assert (model.predict(X) != model.predict(X, num_iteration=4)).any()


def test_lightgbm_without_a_best_iteration_predicts_with_all():
    adapter = imported("lightgbm")
    stopping = adapter.EarlyStopping(9, mode="min", monitor=MONITOR, nan="ignore")
    model, _ = FRAMEWORKS["lightgbm"].run(stopping, Script([np.nan, np.nan]))
    assert model.best_iteration == 2


@pytest.mark.parametrize("alias", ["boosting", "boosting_type", "boost"])
def test_lightgbm_refuses_dart(alias):
    adapter = imported("lightgbm")
    stopping = adapter.EarlyStopping(2, mode="min", monitor=MONITOR)
    with pytest.raises(ValueError, match=r"boosting must leave .* got 'dart'"):
        FRAMEWORKS["lightgbm"].run(stopping, Script(VALUES), parameters={alias: "dart"})


def test_lightgbm_cross_validation_and_estimators():
    adapter = imported("lightgbm")
    import lightgbm

    options = {"objective": "l2", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 1}
    stopping = adapter.EarlyStopping(2, mode="min", monitor="valid-l2")
    history = lightgbm.cv(
        options, lightgbm.Dataset(X, Y), 30, nfold=2, stratified=False, callbacks=[stopping]
    )
    assert len(history["valid l2-mean"]) == stopping.tracker.best_epoch + 1
    assert stopping.tracker.best == min(history["valid l2-mean"])
    pytest.importorskip("sklearn")
    model = lightgbm.LGBMRegressor(n_estimators=50, n_jobs=1, verbosity=-1, min_child_samples=1)
    stopping = adapter.EarlyStopping(2, mode="min", monitor="l2")
    held_out = {"eval_X": X[20:], "eval_y": Y[20:]}
    if "eval_X" not in inspect.signature(model.fit).parameters:  # as in 4.6
        held_out = {"eval_set": [(X[20:], Y[20:])]}
    model.fit(X[:20], Y[:20], **held_out, callbacks=[stopping])
    assert model.best_iteration_ == stopping.tracker.best_epoch + 1 < 50


def test_catboost_judges_what_metric_period_measures():
    adapter = imported("catboost")
    stopping = adapter.EarlyStopping(2, mode="min", monitor="first")
    with pytest.raises(Exception, match="'first', not among"):  # learn has it, too
        FRAMEWORKS["catboost"].run(stopping, Script(VALUES))
    stopping = adapter.EarlyStopping(2, mode="min", monitor="validation-first")
    values = [3.0, 1.0, 2.0, 2.0, *(2.0,) * 20]
    model, evaluations = FRAMEWORKS["catboost"].run(stopping, Script(values), metric_period=3)
    assert (stopping.tracker.best_epoch, stopping.tracker.stopped_epoch) == (3, 9)
    assert evaluations == 4
    assert model.tree_count_ == 10
    assert stopping.tracker.reason is br.StopReason.PATIENCE


def test_catboost_cannot_keep_a_model():
    adapter = imported("catboost")
    with pytest.raises(ValueError, match=r"restore_best_weights must be False \(.*use_best_model"):
        adapter.EarlyStopping(2, mode="min", monitor="RMSE", restore_best_weights=True)
