"""Bad numbers and choices: the message of an update says what and which; nothing is written."""

import numpy as np
import pytest

from bridle import prepare, proximal_step

from ..cases import DTYPES, INF, NAN
from ..conftest import by_name
from .calls import REGULARIZED, as_lists, call, parts, refused
from .data import operands
from .oracle import UPDATES

FLOAT16, FLOAT32, FLOAT64 = DTYPES["float16"], DTYPES["float32"], DTYPES["float64"]


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


@pytest.fixture(**by_name(REGULARIZED))
def regularized(request):
    return request.param


NEGATIVE = [-0.5, -5e-324, -INF, NAN, -1, np.float32(-1)]


@pytest.mark.parametrize("bad", NEGATIVE, ids=repr)
def test_a_number_that_must_not_be_negative_is_checked(row, bad):
    arrays = parts(row, operands(row, FLOAT64, 70))
    names = {"step"} if row.function == "proximal_step" else {"lr"}
    names |= {"l1", "l2"} | set(row.options) & {"epsilon", "momentum", "beta"}
    for name in sorted(names):
        message = f"{name} must be >= 0, got {bad}"
        refused(row, arrays, ValueError, message, **{name: bad})
    if row.function == "ftrl_update":
        return
    refused(row, arrays, ValueError, f"weight_decay must be >= 0, got {bad}", weight_decay=bad)
    for name in ("l1", "l2", "weight_decay"):
        message = f"{name}[2] must be >= 0, got {bad}"
        refused(row, as_lists(arrays), ValueError, message, **{name: [0, 0.1, bad, 1]})


@pytest.mark.parametrize("bad", ["0.5", None, 1j, [], [0.5, 0.1], object], ids=repr)
def test_what_is_no_number_is_a_type_error(row, bad):
    arrays = parts(row, operands(row, FLOAT64, 70))
    names = set() if row.function == "proximal_step" else {"grad_scale"}
    names |= set(row.options) & {"epsilon", "momentum", "beta", "alpha"}
    if not isinstance(bad, list):
        names |= {"l1", "l2", "step" if row.function == "proximal_step" else "lr"}
    for name in sorted(names):
        message = f"{name} must be a real number, got {bad!r}"
        refused(row, arrays, TypeError, message, **{name: bad})


def masked_numbers():
    """Return a missing number as NumPy has it, and numbers that are or might be missing."""
    return [np.ma.masked, np.ma.array(0.5, mask=True), np.ma.array(1), np.ma.array([0.5, 0.1])]


def test_a_masked_number_is_a_type_error_since_its_mask_would_be_overlooked(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    names = {"step"} if row.function == "proximal_step" else {"lr", "grad_scale"}
    names |= {"l1", "l2"} | set(row.options) - {"nesterov"}
    if row.counts:
        names |= {"iteration"}
    if row.function != "ftrl_update":
        names |= {"weight_decay"}
    for bad in masked_numbers():
        shown = " ".join(repr(bad).split())
        for name in sorted(names):
            message = f"{name} must not be masked, got {shown}"
            refused(row, arrays, TypeError, message, **{name: bad})
        if bad.ndim == 0:
            message = f"l1[2] must not be masked, got {shown}"
            refused(row, as_lists(arrays), TypeError, message, l1=np.array([0, 0, bad, 0], object))


@pytest.mark.parametrize("bad", [np.ma.masked, np.ma.array(1), np.ma.array(1, mask=True)], ids=repr)
def test_a_masked_counter_is_a_type_error(regularized, bad):
    arrays = parts(regularized, operands(regularized, FLOAT16, 3))
    random = {"rounding": "stochastic", "seed": 1, "stream": 1}
    for name in ("seed", "stream", "offset"):
        message = f"{name} must not be masked, got {' '.join(repr(bad).split())}"
        refused(regularized, arrays, TypeError, message, **random | {name: bad})


class Container:
    """An array of a library that NumPy does not know, such as a column of a table."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]

    def __repr__(self):
        return "0    0.5\n1   -0.5\ndtype: float64"


def test_a_container_of_another_library_is_a_type_error_of_one_line(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    rates = {"l1", "l2", "step" if row.function == "proximal_step" else "lr"}
    rates |= {"weight_decay"} if row.function != "ftrl_update" else set()
    for name in sorted(rates):
        rule = f"{name} must be a number, or a list, tuple or array of one for each array"
        for given in (arrays, as_lists(arrays, 2)):
            bad = Container([0.5, -0.5])
            refused(row, given, TypeError, f"{rule}, got Container", **{name: bad})
    for name in arrays:
        message = f"{name} must be an array, or a list, tuple or mapping of arrays, got Container"
        refused(row, arrays | {name: Container([1.0, 2.0, 3.0])}, TypeError, message)


@pytest.mark.parametrize("name", ["l1", "l2", "weight_decay", "lr"])
def test_a_sequence_has_one_number_for_each_array(regularized, name):
    arrays = parts(regularized, operands(regularized, FLOAT64, 3))
    rule = f"{name} must be a number, or one for each array of a list, got"
    for values in ([], [0.1], (0.1, 0.2, 0.3), np.zeros(5)):
        for many in (as_lists(arrays), {k: prepare(v) for k, v in as_lists(arrays).items()}):
            message = f"{rule} {len(values)} for a list of 4"
            refused(regularized, many, ValueError, message, **{name: values})
        message = f"{rule} {len(values)} for one array"
        refused(regularized, arrays, ValueError, message, **{name: values})


def test_the_rate_of_the_decay_is_at_most_one(row):
    if row.function == "ftrl_update":
        return
    arrays = parts(row, operands(row, FLOAT64, 3))
    size = "step" if row.function == "proximal_step" else "lr"
    rule = f"{size} * weight_decay must be between 0 and 1, got"
    above = float(np.nextafter(1 / row.lr, INF)) * row.lr
    refused(row, arrays, ValueError, f"{rule} 2.0", weight_decay=2 / row.lr)
    refused(row, as_lists(arrays), ValueError, f"{rule} inf", weight_decay=[0, 0, 0, INF])
    if above > 1:
        refused(row, arrays, ValueError, f"{rule} {above}", weight_decay=above / row.lr)
    if row.regularized:
        message = "weight_decay must be between 0 and 1, got 1.5"
        refused(row, arrays, ValueError, message, weight_decay=1.5, decay="full")
        call(row, arrays, weight_decay=1.5, decay="coupled")


@pytest.mark.parametrize("bad", [1.0, 1, 2.5, -0.1, NAN, INF, -5e-324], ids=repr)
def test_averages_forget_at_a_rate_below_one(bad):
    rule = f"must be >= 0 and < 1, got {bad}"
    for name in ("adamw", "lion"):
        arrays = parts(UPDATES[name], operands(UPDATES[name], FLOAT64, 3))
        for k, betas in enumerate(((bad, 0.5), [0.5, bad])):
            refused(UPDATES[name], arrays, ValueError, f"betas[{k}] {rule}", betas=betas)
    arrays = parts(UPDATES["rmsprop"], operands(UPDATES["rmsprop"], FLOAT64, 3))
    refused(UPDATES["rmsprop"], arrays, ValueError, f"alpha {rule}", alpha=bad)


@pytest.mark.parametrize("bad", [0.9, (0.9,), (0.1, 0.2, 0.3), None, "ab"], ids=repr)
def test_betas_are_two_numbers(bad):
    for name in ("adamw", "lion"):
        arrays = parts(UPDATES[name], operands(UPDATES[name], FLOAT64, 3))
        message = f"betas must be two numbers, got {bad!r}"
        refused(UPDATES[name], arrays, ValueError, message, betas=bad)


def test_no_mask_of_betas_is_overlooked():
    masked = np.ma.array([0.9, 0.5], mask=[False, True])
    for name in ("adamw", "lion"):
        arrays = parts(UPDATES[name], operands(UPDATES[name], FLOAT64, 3))
        message = f"betas must not be masked, got {' '.join(repr(masked).split())}"
        refused(UPDATES[name], arrays, TypeError, message, betas=masked)
        for k, betas in enumerate(((np.ma.masked, 0.5), [0.9, np.ma.masked])):
            message = f"betas[{k}] must not be masked, got masked"
            refused(UPDATES[name], arrays, TypeError, message, betas=betas)


def test_iterations_are_counted_from_one():
    row = UPDATES["adamw"]
    arrays = parts(row, operands(row, FLOAT64, 3))
    for bad in (0, -1, np.int8(-3)):
        message = f"iteration must be >= 1, got {bad}"
        refused(row, arrays, ValueError, message, iteration=bad)
    for bad in (1.0, "1", None, NAN):
        message = f"iteration must be an integer, got {bad!r}"
        refused(row, arrays, TypeError, message, iteration=bad)
    for good in (np.int64(5), True, 10**9):
        call(row, arrays, iteration=good)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, float(np.nextafter(1.0, 0.0)))])
def test_no_iteration_is_too_late(betas):
    row, results = UPDATES["adamw"], []
    for iteration in (2**63 - 1, 2**64, 10**400, np.uint64(2**64 - 1)):
        arrays = parts(row, operands(row, FLOAT64, 3))
        call(row, arrays, iteration=iteration, betas=betas)
        results.append(arrays["w"])
    for result in results:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_a_momentum_buffer_is_there_exactly_if_there_is_momentum(name):
    row = UPDATES[name]
    arrays = parts(row, operands(row, FLOAT64, 3))
    message = "momentum_buffer must be given for momentum 0.5, got None"
    refused(row, arrays, ValueError, message, momentum=0.5)
    message = "momentum_buffer must be None for momentum 0.0, got one"
    refused(row, arrays | {"momentum_buffer": np.zeros(3)}, ValueError, message)
    if name == "sgd":
        message = "nesterov must be False without momentum, got True"
        refused(row, arrays, ValueError, message, nesterov=True)


def test_ftrl_needs_a_learning_rate():
    row = UPDATES["ftrl"]
    arrays = parts(row, operands(row, FLOAT64, 3))
    refused(row, arrays, ValueError, "lr must be > 0, got 0", lr=0)


CHOICES = {
    "decay": "'coupled' or 'decoupled' or 'full'",
    "prox_step": "'adaptive' or 'scalar'",
    "rounding": "'nearest' or 'stochastic'",
}


BAD_CHOICES = ["", "Nearest", None, 1, ["full"], np.array(["full", "nearest"])]


@pytest.mark.parametrize("bad", BAD_CHOICES, ids=repr)
def test_a_choice_that_is_none_is_an_error(regularized, bad):
    arrays = parts(regularized, operands(regularized, FLOAT64, 3))
    for name, choices in CHOICES.items():
        message = f"{name} must be {choices}, got {bad!r}"
        refused(regularized, arrays, ValueError, message, **{name: bad})


@pytest.mark.parametrize("bad", ["no", 1, None, np.ones(2, bool)], ids=repr)
def test_a_flag_is_true_or_false(regularized, bad):
    arrays = parts(regularized, operands(regularized, FLOAT64, 3))
    shown = " ".join(repr(bad).split())
    message = f"cautious must be True or False, got {shown}"
    refused(regularized, arrays, TypeError, message, cautious=bad)
    call(regularized, arrays, cautious=np.True_)
    if regularized.function == "sgd_update":
        message = f"nesterov must be True or False, got {shown}"
        refused(regularized, arrays, TypeError, message, nesterov=bad)


def test_an_infinite_step_is_allowed_where_nothing_decays():
    for step in (INF, 10**400):
        w = np.array([1.0, -2.0])
        assert proximal_step(w, step, l1=0.5).nonzeros == 0
        rule = r"step \* weight_decay must be between 0 and 1, got inf"
        with pytest.raises(ValueError, match=rule):
            proximal_step(w, step, weight_decay=0.5)


def test_a_scale_that_is_nan_is_an_error(row):
    if row.has_gradient:
        arrays = parts(row, operands(row, FLOAT64, 3))
        message = "grad_scale must not be NaN, got nan"
        refused(row, arrays, ValueError, message, grad_scale=NAN)


def test_stochastic_rounding_needs_a_seed_a_stream_and_halves(regularized):
    row = regularized
    half = parts(row, operands(row, FLOAT16, 3))
    random = {"rounding": "stochastic", "stream": 1}
    message = "seed must be given if rounding is 'stochastic', got None"
    refused(row, half, ValueError, message, **random)
    if not row.counts:
        message = (
            "stream must be given if rounding is 'stochastic', as each step needs its own, got None"
        )
        refused(row, half, ValueError, message, rounding="stochastic", seed=1)
        refused(row, half, ValueError, message, rounding="stochastic", seed=1, stream=None)
    rule = "must be 'nearest' unless w, state or copy_out is float16 or bfloat16, got 'stochastic'"
    for arrays in (parts(row, operands(row, FLOAT32, 3)),):
        refused(row, arrays, ValueError, f"rounding {rule}", **random, seed=1)
        refused(row, as_lists(arrays), ValueError, f"rounding {rule}", **random, seed=1)
    for name in ("seed", "stream", "offset"):
        keywords = random | {"seed": 1}
        limit = 2**64 - 3 if name == "offset" else 2**64
        for bad in (-1, 2**64, 2**64 - 3 if name == "offset" else 2**64):
            message = f"{name} must be >= 0 and < {limit}, got {bad}"
            refused(row, half, ValueError, message, **keywords | {name: bad})
        for bad in (1.0, "1"):
            message = f"{name} must be an integer, got {bad!r}"
            refused(row, half, TypeError, message, **keywords | {name: bad})


def test_an_unknown_keyword_is_an_error_of_the_function_that_was_called(row):
    arrays = parts(row, operands(row, FLOAT64, 3))
    for keyword in ("wieght_decay", "name", "operator", "lr_"):
        message = rf"^{row.function}\(\) got an unexpected keyword argument '{keyword}'"
        with pytest.raises(TypeError, match=message):
            call(row, arrays, **{keyword: 1.0})
