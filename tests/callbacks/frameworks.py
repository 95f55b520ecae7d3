"""Six training loops that measure what they are told to, on tiny models.

Each `run` trains with the callback, whose evaluations find the values of a script, "first" and
"second", one after the other, and returns the model and how many evaluations there were.
"""

import contextlib
import importlib
import os

import numpy as np
import pytest

# What the frameworks say of themselves and of one another, on tiny models.
THEIR_WARNINGS = [
    pytest.mark.filterwarnings(f"ignore:{message}")
    for message in (
        "Failed to optimize method:UserWarning",  # CatBoost, of metrics in Python
        "Failed to import numba:UserWarning",  # the same, where there is no Numba
        "__array__ implementation:DeprecationWarning",  # Keras 3.15, NumPy's copy=False
        ".*does not have many workers:UserWarning",  # Lightning
        "You defined a .validation_step. but have no:UserWarning",  # Lightning
        ".*treespec, LeafSpec:FutureWarning",  # Lightning, PyTorch's trees
        "Be aware that when using .ckpt_path.:UserWarning",  # Lightning, of other callbacks
    )
]
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)).astype(np.float32), RNG.standard_normal(40).astype(np.float32)


class Script:
    """What the evaluations of one training find."""

    def __init__(self, first, second=None):
        self.first = list(first)
        self.second = self.first if second is None else list(second)
        self.count = 0

    def next(self):
        index, self.count = self.count, self.count + 1
        return self.first[index], self.second[index]


class XGBoost:
    module, monitor = "bridle.xgboost", "held_out-{}"
    training = "train-rmse"

    def run(self, callback, script, **options):
        import xgboost

        train, held_out = xgboost.DMatrix(X, Y), xgboost.DMatrix(X[:9], Y[:9])

        def metric(predictions, data):
            values = script.next() if data is held_out else (9.0, 9.0)
            return list(zip(("first", "second"), values, strict=True))

        model = xgboost.train(
            {"nthread": 1, "max_depth": 1},
            train,
            num_boost_round=len(script.first),
            evals=[(train, "train"), (held_out, "held_out")],
            custom_metric=metric,
            callbacks=[callback],
            verbose_eval=False,
            **options,
        )
        return model, script.count


class LightGBM:
    module, monitor = "bridle.lightgbm", "held_out-{}"
    training = "training-l2"

    def run(self, callback, script, parameters=None, **options):
        import lightgbm

        train = lightgbm.Dataset(X, Y, free_raw_data=False)
        held_out = train.create_valid(X[:9], Y[:9])

        def metric(predictions, data):
            values = script.next() if data is held_out else (9.0, 9.0)
            return [(*pair, False) for pair in zip(("first", "second"), values, strict=True)]

        model = lightgbm.train(
            {"objective": "l2", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 1}
            | (parameters or {}),
            train,
            num_boost_round=len(script.first),
            valid_sets=[train, held_out],
            valid_names=["training", "held_out"],
            feval=metric,
            callbacks=[callback],
            **options,
        )
        return model, script.count


class CatBoost:
    module, monitor = "bridle.catboost", "validation-{}"
    training = "learn-RMSE"

    def run(self, callback, script, **options):
        import catboost

        class first:  # noqa: N801 - its name is that of the metric
            def is_max_optimal(self):
                return False

            def evaluate(self, approximations, target, weight):
                if len(target) == len(Y):
                    return 9.0, 1.0
                return script.next()[0], 1.0

            def get_final_error(self, error, weight):
                return error

        model = catboost.CatBoostRegressor(
            iterations=len(script.first),
            depth=1,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
            eval_metric=first(),
            use_best_model=False,
            **options,
        )
        model.fit(X, Y, eval_set=(X[:9], Y[:9]), callbacks=[callback])
        return model, script.count


class Keras:
    module, monitor = "bridle.keras", "val_{}"
    training = "loss"

    def run(self, callback, script, others=(), **options):
        import keras

        class Model(keras.Sequential):
            def test_step(self, data):
                return dict(zip(("first", "second"), script.next(), strict=True))

        model = Model([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        options = {"validation_data": (X[:9], Y[:9]), "epochs": len(script.first)} | options
        model.fit(X, Y, verbose=0, batch_size=40, callbacks=[*others, callback], **options)
        return model, script.count


class Lightning:
    module, monitor = "bridle.lightning", "{}"
    training = "train_loss"

    def module_of(self, script):
        import torch
        from lightning.pytorch import LightningModule

        class Module(LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(3, 1)
                self.narrow = torch.nn.Parameter(torch.ones((), dtype=torch.bfloat16))

            def training_step(self, batch, index):
                x, y = batch
                loss = ((self.layer(x)[:, 0] * self.narrow - y) ** 2).mean()
                self.log("train_loss", loss)
                return loss

            def validation_step(self, batch, index):
                values = (-9.0, -9.0) if self.trainer.sanity_checking else script.next()
                for name, value in zip(("first", "second"), values, strict=True):
                    self.log(name, torch.tensor(value, dtype=torch.float64))

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.1)

        return Module()

    def run(
        self, callback, script, others=(), ckpt_path=None, validates=True, batches=1, **options
    ):
        import torch
        from lightning.pytorch import Trainer
        from torch.utils.data import DataLoader, TensorDataset

        data = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
        model = self.module_of(script)
        options = {"max_epochs": len(script.first), "enable_checkpointing": False} | options
        trainer = Trainer(
            accelerator="cpu",
            callbacks=[*others, callback],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=1,
            **options,
        )
        loader = DataLoader(data, batch_size=40)
        trainer.fit(
            model,
            DataLoader(data, batch_size=len(X) // batches),
            loader if validates else None,
            ckpt_path=ckpt_path,
        )
        return model, script.count


class Transformers:
    module, monitor = "bridle.transformers", "eval_{}"
    training = "loss"

    def run(self, callback, script, folder=None, others=(), resume=None, sets=None, **options):
        import torch
        from transformers import Trainer, TrainingArguments

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(3, 1)

            def forward(self, x, labels):
                outputs = self.layer(x)[:, 0]
                return {"loss": ((outputs - labels) ** 2).mean(), "outputs": outputs}

        data = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]
        arguments = TrainingArguments(
            output_dir=folder or "trainer_output",
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            per_device_train_batch_size=40,
            per_device_eval_batch_size=40,
            num_train_epochs=len(script.first),
            eval_strategy="epoch",
            logging_strategy="epoch",
            **{"save_strategy": "no"} | options,
        )
        model = Model()
        trainer = Trainer(
            model,
            arguments,
            train_dataset=data,
            eval_dataset=sets or data[:9],
            compute_metrics=lambda _: dict(zip(("first", "second"), script.next(), strict=True)),
            callbacks=[*others, callback],
        )
        with contextlib.redirect_stdout(None):
            trainer.train(resume_from_checkpoint=resume)
        return model, script.count


FRAMEWORKS = {
    "xgboost": XGBoost(),
    "lightgbm": LightGBM(),
    "catboost": CatBoost(),
    "keras": Keras(),
    "lightning": Lightning(),
    "transformers": Transformers(),
}


def imported(name):
    """Return the adapter, or skip where its framework is missing."""
    if name == "keras":
        pytest.importorskip("torch")
        os.environ.setdefault("KERAS_BACKEND", "torch")
    pytest.importorskip(name)
    return importlib.import_module(FRAMEWORKS[name].module)
