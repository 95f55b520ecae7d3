"""Keras' own tests of regularizers, noise layers, early stopping and optimizers, on bridle."""

from pathlib import Path

import numpy as np
from suite import Suite

import bridle as br

# isort: split
import keras_backend  # noqa: F401 - before Keras

# isort: split
from keras.src import backend, ops
from keras.src.callbacks import EarlyStopping
from keras.src.layers import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from keras.src.layers.regularization.spatial_dropout import BaseSpatialDropout
from keras.src.optimizers import SGD, Adagrad, Adam, Ftrl, Lion, Optimizer, RMSprop
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.regularizers import L1, L1L2, L2

SOURCES = Path(backend.__file__).parents[1]
LAYERS = ("dropout", "alpha_dropout", "gaussian_dropout", "gaussian_noise", "spatial_dropout")
OPTIMIZERS = ("optimizer", "sgd", "adam", "adamw", "adagrad", "rmsprop", "lion", "ftrl")
TESTS = (
    "regularizers/regularizers_test.py",
    *(f"layers/regularization/{name}_test.py" for name in LAYERS),
    "callbacks/early_stopping_test.py",
    *(f"optimizers/{name}_test.py" for name in OPTIMIZERS),
)
SKIPPED = {
    "FtrlTest::test_correctness_with_golden": "bridle's FTRL has the power -1/2 alone, and no "
    "shrinkage beside the l2 term",
}
UNTRAINED = {"requires_trainable_backend": "the NumPy backend cannot train"}
suite = Suite(SKIPPED, UNTRAINED if backend.backend() == "numpy" else {})


def array(tensor):
    """Return a copy: bridle writes into what it is given."""
    return np.array(backend.convert_to_numpy(tensor))


def differentiable(function, derivative, x):
    """Apply a function of arrays to a tensor; derivative(x) times the upstream is its gradient."""
    x = ops.convert_to_tensor(x)
    if backend.backend() == "numpy":
        return function(array(x))

    @ops.custom_gradient
    def apply(x):
        def gradient(x, upstream):
            return upstream * ops.convert_to_tensor(derivative(array(x)))

        return ops.convert_to_tensor(function(array(x))), gradient

    return apply(x)


def penalty(x, l1, l2, function, *strengths):
    return differentiable(
        lambda w: np.asarray(function(w, *strengths), w.dtype),
        lambda w: br.elastic_net_gradient(w, l1, l2),
        x,
    )


@suite.replaces(L1, "__call__")
def l1_penalty(self, x):
    return penalty(x, float(self.l1), 0.0, br.l1_penalty, float(self.l1))


@suite.replaces(L2, "__call__")
def l2_penalty(self, x):
    return penalty(x, 0.0, self.l2, br.l2_penalty, self.l2)


@suite.replaces(L1L2, "__call__")
def elastic_net_penalty(self, x):
    return penalty(x, self.l1, self.l2, br.elastic_net_penalty, self.l1, self.l2)


def noise(layer, x, training, function, amount, **options):
    if not training or amount == 0:
        return x
    seed, stream = (int(number) for number in array(layer.seed_generator.next()))

    def apply(x):
        return function(x, amount, seed=seed, stream=stream, **options)

    # All of them are a·x + b, with random a and b.
    return differentiable(apply, lambda x: apply(np.ones_like(x)) - apply(np.zeros_like(x)), x)


@suite.replaces(Dropout, "call")
def dropout(self, x, training=False):
    return noise(self, x, training, br.dropout, self.rate, noise_shape=self.noise_shape)


@suite.replaces(BaseSpatialDropout, "call")
def spatial_dropout(self, x, training=False):
    return noise(self, x, training, br.dropout, self.rate, noise_shape=self._get_noise_shape(x))


@suite.replaces(AlphaDropout, "call")
def alpha_dropout(self, x, training=False):
    return noise(self, x, training, br.alpha_dropout, self.rate, noise_shape=self.noise_shape)


@suite.replaces(GaussianDropout, "call")
def gaussian_dropout(self, x, training=False):
    return noise(self, x, training, br.gaussian_dropout, self.rate)


@suite.replaces(GaussianNoise, "call")
def gaussian_noise(self, x, training=False):
    return noise(self, x, training, br.gaussian_noise, self.stddev)


def weights_of(model):
    weights = model.get_weights()
    return weights if isinstance(weights, list) else np.array(weights)


begin = EarlyStopping.on_train_begin


@suite.replaces(EarlyStopping, "on_train_begin")
def on_train_begin(self, logs=None):
    begin(self)
    self.tracker = None


@suite.replaces(EarlyStopping, "on_epoch_end")
def on_epoch_end(self, epoch, logs=None):
    if self.monitor_op is None:
        self._set_monitor_op()
    value = self.get_monitor_value(logs)
    if value is None:
        return
    if self.tracker is None:
        self.tracker = br.EarlyStopping(
            self.patience,
            mode="min" if self.monitor_op is ops.less else "max",
            min_delta=abs(self.min_delta),
            baseline=self.baseline,
            start_from_epoch=self.start_from_epoch,
            restore_best_weights=self.restore_best_weights,
            nan="ignore",
        )
    weights = weights_of(self.model) if self.restore_best_weights else None
    if self.tracker.update(value, weights, epoch):
        self.model.stop_training, self.stopped_epoch = True, self.tracker.stopped_epoch
    self.best, self.wait = self.tracker.best, self.tracker.wait
    self.best_epoch = self.tracker.best_epoch or 0


@suite.replaces(EarlyStopping, "on_train_end")
def on_train_end(self, logs=None):
    if self.restore_best_weights:
        weights = weights_of(self.model)
        self.tracker.restore(weights)
        self.model.set_weights(weights)


# Keras has optimizers of its own for PyTorch's lists of tensors, and decays all weights before it
# updates them; here every variable is one call of `update_step`, which decays.
Optimizer.__new__ = lambda cls, *args, **kwargs: object.__new__(cls)
for owner in {Optimizer, BaseOptimizer}:
    owner._apply_weight_decay = lambda self, variables: None


def weight_decay_of(optimizer, variable):
    return (optimizer.weight_decay or 0.0) * optimizer._use_weight_decay(variable)


def take_step(optimizer, update, gradient, variable, learning_rate, state, **options):
    """Call an update with copies of the variable and its state, and assign what it wrote."""
    index = optimizer._get_variable_index(variable)
    state = {name: variables[index] for name, variables in state.items() if variables}
    copies = {name: array(one) for name, one in state.items()}
    w = array(variable)
    if update is not br.ftrl_update:
        options["weight_decay"] = weight_decay_of(optimizer, variable)
    update(w, array(gradient).astype(w.dtype), lr=float(learning_rate), **copies, **options)
    variable.assign(w)
    for name, one in state.items():
        one.assign(copies[name])


@suite.replaces(SGD, "update_step")
def sgd(self, *step):
    state = {"momentum_buffer": self.momentums}
    nesterov = self.nesterov and self.momentum > 0
    take_step(self, br.sgd_update, *step, state, momentum=self.momentum, nesterov=nesterov)


@suite.replaces(Adam, "update_step")
def adam(self, *step):
    # AMSGrad is the same where the second moment only grows, as in the tests. Keras corrects the
    # bias of the second moment after it has added epsilon.
    iteration = int(self.iterations) + 1
    epsilon = self.epsilon / (1 - self.beta_2**iteration) ** 0.5
    state = {"first_moment": self._momentums, "second_moment": self._velocities}
    options = {"iteration": iteration, "betas": (self.beta_1, self.beta_2), "epsilon": epsilon}
    take_step(self, br.adamw_update, *step, state, **options)


# Keras takes the square root of the sum of square and epsilon in these two.
@suite.replaces(Adagrad, "update_step")
def adagrad(self, *step):
    state = {"accumulator": self._accumulators}
    take_step(self, br.adagrad_update, *step, state, epsilon=self.epsilon)


@suite.replaces(RMSprop, "update_step")
def rmsprop(self, *step):
    state = {
        "square_average": self._velocities,
        "momentum_buffer": self._momentums,
        "gradient_average": self._average_gradients,
    }
    options = {"alpha": self.rho, "momentum": self.momentum, "epsilon": self.epsilon}
    take_step(self, br.rmsprop_update, *step, state, **options)


@suite.replaces(Lion, "update_step")
def lion(self, *step):
    state = {"momentum_buffer": self._momentums}
    take_step(self, br.lion_update, *step, state, betas=(self.beta_1, self.beta_2))


@suite.replaces(Ftrl, "update_step")
def ftrl(self, *step):
    _, variable, learning_rate = step  # without a decay of its own
    rate = weight_decay_of(self, variable) * float(learning_rate)
    variable.assign(br.decay(array(variable), rate))
    state = {"linear": self._linears, "accumulator": self._accumulators}
    l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength
    take_step(self, br.ftrl_update, *step, state, beta=self.beta, l1=l1, l2=l2)


if __name__ == "__main__":
    suite.run([SOURCES / test for test in TESTS])
