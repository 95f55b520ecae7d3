"""Networks of Keras, on PyTorch, with regularizers and constraints of bridle."""

import doctest
import json
import os

import numpy as np
import pytest

import bridle as br

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend", allow_module_level=True)

# Behind the lines that skip all of this, as bridle.keras needs Keras.
import bridle.keras as bk  # noqa: E402

# Variables of Keras 3.15 do not know NumPy's copy=False.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
HAVE_SUBGRADIENTS = pytest.mark.skipif(
    not hasattr(br.L1, "subgradient"), reason="the objects have no subgradients"
)
SHAPES = ((), (7,), (3, 4), (2, 3, 4))


@keras.saving.register_keras_serializable("tests")
class Lasso:
    """A user's own regularizer."""

    is_convex = True

    def __init__(self, strength):
        self.strength = strength

    def __repr__(self):
        return f"Lasso({self.strength})"

    def value(self, w):
        return br.l1_penalty(w, self.strength)

    def prox(self, w, step=1.0, out=None):
        return br.L1(self.strength).prox(w, step, out)

    def subgradient(self, w):
        return br.elastic_net_gradient(w, self.strength, 0.0)

    def get_config(self):
        return {"strength": self.strength}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("tests")
def halved(w, by=2.0):
    return w / by


LASSOS = [
    pytest.param(Lasso, id="own"),
    pytest.param(br.L1, marks=HAVE_SUBGRADIENTS, id="L1"),
]


def network(**options):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(16, activation="relu", **options),
            keras.layers.Dense(1, **{k: v for k, v in options.items() if k.startswith("kernel")}),
        ]
    )


def data():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((64, 6)).astype(np.float32)
    return x, (x[:, :1] - 2 * x[:, 1:2]).astype(np.float32)


def trained(model, epochs=5):
    """Return the losses of a training without chance."""
    model.compile(keras.optimizers.SGD(0.05), "mse")
    fit = model.fit(*data(), epochs=epochs, batch_size=16, shuffle=False, verbose=0)
    return fit.history["loss"]


@pytest.mark.parametrize("lasso", LASSOS)
def test_a_network_learns_as_with_the_regularizer_of_keras(lasso):
    models, losses = [], []
    for regularizer in (bk.regularizer(lasso(0.01)), keras.regularizers.L1(0.01)):
        models.append(network(kernel_regularizer=regularizer))
        losses.append(trained(models[-1]))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    free = network()
    trained(free)
    assert abs(free.get_weights()[0] - ours_of(models)).max() > 1e-2


def ours_of(models):
    return models[0].get_weights()[0]


@pytest.mark.parametrize("lasso", LASSOS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_value_and_derivative_are_those_of_the_object(lasso, shape, dtype):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=getattr(torch, dtype), requires_grad=True)
    loss = bk.regularizer(lasso(0.5))(x)
    assert loss.shape == ()
    assert loss.dtype == (torch.float64 if dtype == "float64" else torch.float32)
    assert loss.item() == pytest.approx(0.5 * x.double().abs().sum().item(), rel=1e-6)
    (3 * loss).backward()
    assert x.grad.dtype == x.dtype
    torch.testing.assert_close(x.grad, 1.5 * x.detach().sign(), rtol=0, atol=0)


def test_many_halves_do_not_overflow():
    loss = bk.regularizer(Lasso(1.0))(torch.ones(90_000, dtype=torch.float16))
    assert loss.item() == 90_000


def test_tensors_have_any_layout_and_zero_has_no_slope():
    x = torch.arange(12.0).reshape(3, 4).t().requires_grad_()
    bk.regularizer(Lasso(1.0))(x).backward()
    assert x.grad[0, 0] == 0
    assert x.grad.sum() == 11


def test_activities_are_regularized_too():
    losses = []
    for regularizer in (bk.regularizer(Lasso(0.01)), keras.regularizers.L1(0.01)):
        losses.append(trained(network(activity_regularizer=regularizer)))
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_second_derivative_is_refused_instead_of_wrong():
    x = torch.ones(3, requires_grad=True)
    (slope,) = torch.autograd.grad(bk.regularizer(Lasso(1.0))(x), x, create_graph=True)
    torch.testing.assert_close(slope, torch.ones(3))
    with pytest.raises(NotImplementedError, match=r"^Regularizer: there is no second derivative"):
        slope.sum().backward()


CONSTRAINTS = {
    "set": (br.Box(-0.1, 0.2), {}, lambda w: np.clip(w, np.float32(-0.1), np.float32(0.2))),
    "nonnegative": (br.NonNegative(), {}, lambda w: np.maximum(w, 0)),
    "prox": (br.L1(0.02), {}, lambda w: br.L1(0.02).prox(w)),
    "function": (br.project_simplex, {"axis": 0}, lambda w: br.project_simplex(w, axis=0)),
    "arguments": (br.max_norm, {"max_value": 0.5, "axis": (0, 1)}, None),
    "own function": (halved, {"by": 4.0}, lambda w: w / 4),
    "own object": (Lasso(0.02), {}, lambda w: br.L1(0.02).prox(w)),
}


@pytest.mark.parametrize(
    ("projection", "parameters", "expected"), CONSTRAINTS.values(), ids=CONSTRAINTS
)
def test_weights_are_constrained_after_every_update(projection, parameters, expected):
    expected = expected or (lambda w: projection(w, **parameters))
    w = np.random.default_rng(3).standard_normal((5, 4)).astype(np.float32)
    constraint = bk.constraint(projection, **parameters)
    before = torch.from_numpy(w.copy())
    result = constraint(before)
    np.testing.assert_array_equal(before.numpy(), w)
    np.testing.assert_array_equal(result.numpy(), expected(w))
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        assert constraint(before.to(dtype)).dtype == dtype
    model = network(kernel_constraint=constraint)
    trained(model, epochs=1)
    if not isinstance(projection, (br.L1, Lasso)) and projection is not halved:
        for kernel in model.get_weights()[::2]:
            np.testing.assert_allclose(expected(kernel), kernel, rtol=1e-5, atol=1e-7)


def test_results_may_have_any_layout_and_tensors_no_memory():
    reverse = bk.constraint(lambda w: w[::-1])
    torch.testing.assert_close(reverse(torch.arange(4.0)), torch.tensor([3.0, 2.0, 1.0, 0.0]))
    with keras.device("meta"):
        loss = bk.regularizer(Lasso(1.0))(torch.empty(3, device="meta", dtype=torch.float16))
    assert (loss.device.type, loss.dtype, loss.shape) == ("meta", torch.float32, ())


def test_a_proximal_step_as_a_constraint_gives_zeros():
    model = network(kernel_constraint=bk.constraint(br.L1(0.005)))
    trained(model)
    kernel = model.get_weights()[0]
    assert 0.1 < np.mean(kernel == 0) < 1


SAVED = [
    ("kernel_constraint", bk.constraint(br.Box(-0.1, 0.2))),
    ("kernel_constraint", bk.constraint(br.NonNegative())),
    ("kernel_constraint", bk.constraint(br.max_norm, max_value=0.5, axis=(0, 1))),
    ("bias_constraint", bk.constraint(br.Box(np.full(16, -0.1, np.float32), np.arange(16) / 16))),
    ("kernel_constraint", bk.constraint(halved, by=4.0)),
    ("kernel_regularizer", bk.regularizer(Lasso(0.25))),
]
if hasattr(br.L1, "subgradient"):
    SAVED += [
        ("kernel_regularizer", bk.regularizer(regularizer))
        for regularizer in (br.L1(0.1), br.ElasticNet(0.1, 0.2), br.MCP(0.1, gamma=3.0))
    ]
    SAVED += [("bias_regularizer", bk.regularizer(br.L1(np.linspace(0, 1, 16))))]
    if hasattr(br, "GroupL2"):
        SAVED += [
            ("kernel_regularizer", bk.regularizer(regularizer))
            for regularizer in (br.GroupL2(0.1, axis=(0, 1)), 0.5 * br.SCAD(0.1, 3.0) + br.L2(0.1))
        ]


@pytest.mark.parametrize(("place", "given"), SAVED, ids=lambda value: str(value)[:60])
def test_a_model_that_was_saved_is_the_same_again(place, given, tmp_path):
    model = network(**{place: given})
    trained(model, epochs=1)
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    loaded = getattr(again.layers[0], place)
    assert type(loaded) is type(given)
    assert json.dumps(loaded.get_config()) == json.dumps(given.get_config())
    for name in ("regularizer", "projection"):
        value = getattr(given, name, None)
        assert isinstance(value, Lasso) or getattr(loaded, name, None) == value
    x, y = data()
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_they_are_told_as_they_were_made():
    assert repr(bk.constraint(br.Box(0, 1))) == "Constraint(Box(lower=0.0, upper=1.0))"
    assert repr(bk.constraint(br.max_norm, axis=1)) == "Constraint(max_norm, axis=1)"
    assert repr(bk.regularizer(given := Lasso(0.1))) == f"Regularizer({given!r})"


@pytest.mark.parametrize("name", ["prepare", "save_checkpoint", "__doc__", "set_num_threads", "x"])
def test_a_file_names_only_what_can_be_a_projection(name):
    config = {"projection": {"bridle": "name", "of": name}, "parameters": {}}
    with pytest.raises(ValueError, match=f"must name what bridle has, got '{name}'"):
        bk.Constraint.from_config(config)


def test_a_file_names_no_class_but_regularizers():
    config = {"bridle": "object", "of": "EarlyStopping", "parameters": {"patience": 3}}
    with pytest.raises(ValueError, match="must name what bridle has, got 'EarlyStopping'"):
        bk.Regularizer.from_config({"regularizer": config})


class NotRegistered:
    def value(self, w):
        return 0.0

    def subgradient(self, w):
        return np.zeros(3)


def test_errors_are_said_at_once():
    for bad in (None, 0.01, "l1", br.l1_penalty, Lasso):
        with pytest.raises(TypeError, match=r"^Regularizer: regularizer must have value\(w\) and"):
            bk.regularizer(bad)
    for bad in (None, 0.01, "l1", br.Box):
        with pytest.raises(TypeError, match=r"^Constraint: projection must be a function"):
            bk.constraint(bad)
    with pytest.raises(TypeError, match=r"^Constraint: parameters must be those of a function"):
        bk.constraint(br.NonNegative(), axis=0)
    with pytest.raises(ValueError, match=r"shape of its argument, \(4,\), got \(3,\)"):
        bk.constraint(lambda w: w[1:])(torch.ones(4))
    x = torch.ones(4, requires_grad=True)
    with pytest.raises(ValueError, match=r"subgradient must .* \(4,\), got \(3,\)"):
        bk.regularizer(NotRegistered())(x).backward()
    with pytest.raises(TypeError, match=r"NotRegistered.*get_config"):
        bk.regularizer(NotRegistered()).get_config()


def test_other_backends_are_an_error(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    for make in (lambda: bk.regularizer(Lasso(1.0)), lambda: bk.constraint(br.NonNegative())):
        with pytest.raises(RuntimeError, match=r"must be PyTorch .*, got 'numpy'$"):
            make()


@pytest.mark.parametrize("cls", [bk.Regularizer, bk.Constraint])
def test_the_examples_print_what_the_docstrings_say(cls):
    if cls is bk.Regularizer and not hasattr(br.L1, "subgradient"):
        pytest.skip("the objects have no subgradients")
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    (example,) = [test for test in finder.find(cls, cls.__name__, globs={}) if test.examples]
    assert runner.run(example).failed == 0


def test_bridle_imports_no_keras(run_python):
    done = run_python("import sys, bridle; assert not {'keras', 'torch'} & {*sys.modules}")
    assert done.returncode == 0, done.stderr
