"""Optimizers do what their updates do, remember it, and go on where another one was."""

import copy
import inspect
import itertools
import json
import pickle
import re
import sys

import ml_dtypes
import numpy as np
import pytest

import bridle as br

from .oracle import UPDATES

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
CLASSES = {
    "sgd_update": br.SGD,
    "adamw_update": br.AdamW,
    "adagrad_update": br.Adagrad,
    "rmsprop_update": br.RMSprop,
    "lion_update": br.Lion,
    "ftrl_update": br.FTRL,
}
ROWS = {name: row for name, row in UPDATES.items() if row.has_gradient}
REGULARIZED = [row for row in ROWS.values() if row.regularized]
SHAPES = {"kernel": (5, 7), "bias": (9,), "scale": ()}
STRUCTURES = {
    "one": lambda arrays: arrays["kernel"],
    "list": lambda arrays: list(arrays.values()),
    "tuple": lambda arrays: tuple(arrays.values()),
    "mapping": dict,
    "prepared": br.prepare,
}


def random(seed, dtype=np.float32):
    generator = np.random.default_rng(seed)
    return {k: generator.standard_normal(s).astype(dtype)[...] for k, s in SHAPES.items()}


def optimizer_of(row, weights, **keywords):
    options = {k: v for k, v in row.options.items() if k not in row.states}
    if "gradient_average" in row.states:
        options["centered"] = True
    return CLASSES[row.function](weights, row.lr, **options | keywords)


def each(arrays):
    """Return the arrays of any structure."""
    if isinstance(arrays, np.ndarray):
        return [arrays]
    return list(arrays.values() if isinstance(arrays, dict) else arrays)


def everything(optimizer):
    """Return the bits of all that an optimizer is."""
    arrays = [optimizer.weights, *optimizer.state.values()]
    bits = [(a.dtype, a.shape, a.tobytes()) for group in arrays for a in each(group)]
    return bits, optimizer.iteration, optimizer.lr


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16], ids=lambda d: d.__name__)
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_steps_are_those_of_the_update(row, structure, dtype, assert_same_bits):
    as_given = STRUCTURES[structure]
    mine, theirs = random(0, dtype), random(0, dtype)
    keywords = {"l1": 0.01, "l2": 0.003}
    if row.regularized:
        keywords |= {"weight_decay": 0.1, "cautious": True, "regularizer": br.Box(-1, 1)}
    optimizer = optimizer_of(row, as_given(mine), **keywords)
    state = [
        {k: np.zeros(w.shape, np.promote_types(dtype, np.float32)) for k, w in theirs.items()}
        for _ in row.states
    ]
    for t in range(1, 4):
        gradient = random(t, dtype)
        own = {"grad_scale": 0.5, "lr": 0.03 * t} if t > 1 else {"grad_scale": 1.0}
        summary = optimizer.step(as_given(gradient), **own)
        given = (as_given(arrays) for arrays in (theirs, gradient))
        states = [as_given(arrays) for arrays in state]
        assert summary == row.call(*given, states, t, **keywords | own)
    assert optimizer.iteration == 3
    assert tuple(optimizer.state) == tuple(sorted(row.states, key=list(optimizer.state).index))
    for name in row.states:
        expected = as_given(state[row.states.index(name)])
        for pair in zip(each(optimizer.state[name]), each(expected), strict=True):
            assert_same_bits(*pair)
    for key in mine:
        assert_same_bits(mine[key], theirs[key])


@pytest.mark.parametrize("row", REGULARIZED, ids=lambda row: row.name)
def test_random_bits_of_a_step_have_its_number(row, assert_same_bits):
    mine, theirs = random(0), random(0)
    copies = [{k: np.zeros(w.shape, BFLOAT16) for k, w in mine.items()} for _ in range(2)]
    how = {"rounding": "stochastic", "seed": 5, "toward": random(9), "offset": 3}
    own = {"state_dtype": "bfloat16"} if row.states else {}
    optimizer = optimizer_of(row, mine, **how, **own, copy_out=copies[0])
    state = [{k: np.zeros(w.shape, BFLOAT16) for k, w in mine.items()} for _ in row.states]
    for t in range(1, 4):
        gradient = random(t, BFLOAT16)
        optimizer.step(dict(reversed(gradient.items())))
        row.call(theirs, gradient, state, t, **how, copy_out=copies[1], stream=t)
    for key in mine:
        assert_same_bits(mine[key], theirs[key])
        assert_same_bits(copies[0][key], copies[1][key])
        for name, arrays in zip(row.states, state, strict=True):
            assert_same_bits(optimizer.state[name][key], arrays[key])


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_rows_of_a_table(row, assert_same_bits):
    tables = [random(0)["kernel"] for _ in range(2)]
    optimizer = optimizer_of(row, tables[0])
    state = [np.zeros_like(tables[1]) for _ in row.states]
    gradient = random(1)["kernel"][:2]
    optimizer.step(gradient, rows=[3, 1])
    row.call(tables[1], gradient, state, rows=[3, 1])
    assert_same_bits(*tables)


def test_one_number_for_each_array(assert_same_bits):
    mine, theirs = list(random(0).values()), list(random(0).values())
    optimizer = br.SGD(mine, [0.1, 0.2, 0.3], l1=[0, 0.1, 0.2], weight_decay=(0.1, 0, 0))
    gradient = list(random(1).values())
    optimizer.step(gradient)
    br.sgd_update(theirs, gradient, [0.1, 0.2, 0.3], l1=[0, 0.1, 0.2], weight_decay=(0.1, 0, 0))
    for pair in zip(mine, theirs, strict=True):
        assert_same_bits(*pair)
    assert optimizer.state_dict()["lr"] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_loaded_state_goes_on_to_the_same_bits(row, structure):
    as_given = STRUCTURES[structure]
    first = optimizer_of(row, as_given(random(0)))
    for t in range(2):
        first.step(as_given(random(t)))
    first.lr = 0.07
    copies = dict(zip(SHAPES, map(np.array, each(first.weights)), strict=structure != "one"))
    second = optimizer_of(row, as_given(copies))
    state = first.state_dict()
    json.dumps({name: value for name, value in state.items() if name != "state"})
    if structure == "mapping":  # other order goes by key
        state["state"] = {k: dict(reversed(v.items())) for k, v in state["state"].items()}
    second.load_state_dict(state)
    for optimizer in (first, second):
        optimizer.step(as_given(random(3)))
    assert everything(first) == everything(second)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_copies_have_weights_of_their_own(structure, duplicate):
    as_given = STRUCTURES[structure]
    optimizer = br.AdamW(as_given(random(0)), 0.1, l1=0.1)
    optimizer.step(as_given(random(1)))
    other = duplicate(optimizer)
    before = everything(optimizer)
    other.step(as_given(random(2)))
    assert everything(optimizer) == before
    optimizer.step(as_given(random(2)))
    assert everything(other) == everything(optimizer)


def good():
    optimizer = br.AdamW(random(0), 0.1)
    optimizer.step(random(1))
    return optimizer.state_dict()


def with_state(change):
    state = good()
    state["state"] = {name: dict(arrays) for name, arrays in state["state"].items()}
    change(state["state"])
    return state


MISFITS = [
    (lambda: None, "state must be a state_dict, got None"),
    (lambda: {"lr": 0.1}, "state must be a state_dict, got {'lr': 0.1}"),
    (lambda: good() | {"optimizer": "SGD"}, "state must be that of AdamW, got that of 'SGD'"),
    (
        lambda: good() | {"iteration": -1},
        "iteration must be >= 0 and < 18446744073709551616, got -1",
    ),
    (lambda: good() | {"iteration": 1.5}, "iteration must be an integer, got 1.5"),
    (lambda: good() | {"lr": -0.1}, "lr must be >= 0, got -0.1"),
    (
        lambda: good() | {"lr": [0.1]},
        "lr must be a number, or one for each array of a list, got 1 for a list of 3",
    ),
    (
        lambda: with_state(lambda s: s.pop("first_moment")),
        "state must have the arrays first_moment, second_moment, got second_moment",
    ),
    (
        lambda: with_state(lambda s: s["first_moment"].pop("bias")),
        "first_moment must have the keys of weights, got none of 'bias'",
    ),
    (
        lambda: with_state(lambda s: s["second_moment"].update(bias=np.zeros(8, np.float32))),
        "second_moment['bias'] must be float32 of shape (9,), got float32 of shape (8,)",
    ),
    (
        lambda: with_state(lambda s: s["second_moment"].update(bias=np.zeros(9))),
        "second_moment['bias'] must be float32 of shape (9,), got float64 of shape (9,)",
    ),
    (
        lambda: with_state(lambda s: s["second_moment"].update(bias=[0.0] * 9)),
        "second_moment['bias'] must be float32 of shape (9,), got list",
    ),
    (
        lambda: with_state(lambda s: s.update(second_moment=np.zeros(3))),
        "second_moment must be a mapping, as weights is, got ndarray",
    ),
]


@pytest.mark.parametrize(("state", "message"), MISFITS)
def test_a_state_that_does_not_fit_changes_nothing(state, message):
    optimizer = br.AdamW(random(0), 0.2)
    before = everything(optimizer)
    with pytest.raises(ValueError, match=f"^{re.escape(f'AdamW: {message}')}$"):
        optimizer.load_state_dict(state())
    assert everything(optimizer) == before


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"betas": (2, 0.9)}, ValueError, "AdamW: betas[0] must be >= 0 and < 1, got 2"),
        ({"l1": -1}, ValueError, "AdamW: l1 must be >= 0, got -1"),
        ({"wieght": 1}, TypeError, "AdamW() got an unexpected keyword argument 'wieght'"),
        ({"grad_scale": 1}, TypeError, "AdamW() got an unexpected keyword argument 'grad_scale'"),
        (
            {"rounding": "stochastic", "copy_out": random(0, BFLOAT16)},
            ValueError,
            "AdamW: seed must be given if rounding is 'stochastic', got None",
        ),
        (
            {"state_dtype": "bfloat16"},
            ValueError,
            "AdamW: state_dtype must be None unless rounding is 'stochastic', as nearest loses "
            "small changes, got 'bfloat16'",
        ),
        ({"state_dtype": "half"}, ValueError, "AdamW: state_dtype must be 'bfloat16', got 'half'"),
        (
            {"toward": {"kernel": np.zeros((5, 7))}},
            ValueError,
            "AdamW: toward must have the keys of weights, got none of 'bias'",
        ),
        (
            {"copy_out": random(0, np.float64)},
            TypeError,
            "AdamW: copy_out['kernel'] must be of type float16, bfloat16 or float32, "
            "got float64 of shape (5, 7)",
        ),
    ],
)
def test_bad_settings_are_errors_of_the_class_at_once(keywords, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        br.AdamW(random(0), 0.1, **keywords)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (3, TypeError, "weights must be an array, or a list, tuple or mapping of arrays, got int"),
        ([[1.0]], TypeError, "weights[0] must be an array, got list"),
        (
            np.zeros(3, int),
            TypeError,
            "weights must be of type float16, bfloat16, float32 or float64, got int64",
        ),
    ],
)
def test_bad_weights_are_errors_of_the_class(weights, error, message):
    with pytest.raises(error, match=f"^{re.escape(f'Lion: {message}')}"):
        br.Lion(weights, 0.1)


def test_errors_of_a_step_change_nothing_and_name_the_class():
    optimizer = br.AdamW(random(0), 0.2)
    before = everything(optimizer)
    with pytest.raises(ValueError, match=r"^AdamW: gradient must have the keys of w, got none of"):
        optimizer.step({"kernel": np.zeros((5, 7), np.float32)})
    with pytest.raises(ValueError, match=r"^AdamW: lr must be >= 0, got -1$"):
        optimizer.lr = -1
    with pytest.raises(ValueError, match=r"^AdamW: lr must be >= 0, got -1$"):
        optimizer.step(random(1), lr=-1)
    with pytest.raises(IndexError, match=r"^SGD: rows must be >= 0 and < 5, got 7$"):
        br.SGD(random(0)["kernel"], 0.1).step(np.zeros((1, 7), np.float32), rows=[7])
    assert everything(optimizer) == before


def test_repr_shows_the_numbers():
    optimizer = br.SGD(random(0), 0.1, momentum=0.9, toward=random(1))
    assert repr(optimizer) == (
        "<SGD: 3 arrays, 45 elements, iteration 0, lr=0.1, momentum=0.9, nesterov=False>"
    )


class Interrupted(BaseException):
    pass


def interrupted(optimizer, gradients, moment):
    """Take a step, interrupted at an instruction of it by number; tell whether it was."""
    moments = itertools.count()

    def trace(frame, event, _):
        # Between all instructions of what surrounds the native call; between lines elsewhere.
        frame.f_trace_opcodes = frame.f_code.co_name in ("step", "_call")
        if event in ("line", "opcode") and next(moments) == moment:
            raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        optimizer.step(gradients)
    except Interrupted:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("walkable", [True, False])
def test_an_interruption_leaves_a_whole_step_or_none(walkable):
    def optimizer():
        weights = [np.ones((4, 6), np.float32), np.ones((6, 4), np.float32)]
        if not walkable:
            weights = [weights[0][:, ::2].T, weights[1][::2, ::3]]
        return br.AdamW(weights, 0.1)

    gradients = [np.ones_like(w) for w in optimizer().weights]
    stepped = optimizer()
    before = everything(stepped)
    stepped.step(gradients)
    seen = {False: 0, True: 0}
    for moment in itertools.count():
        other = optimizer()
        if not interrupted(other, gradients, moment):
            break
        found = everything(other)
        assert found in (before, everything(stepped))
        seen[found == before] += 1
    assert min(seen.values()) > 0


def test_every_update_has_a_class():
    names = {name for name in br.__all__ if name.endswith("_update")}
    assert names - {"average_update"} == CLASSES.keys()
    for function, cls in CLASSES.items():
        keywords = set(inspect.signature(getattr(br, function)).parameters)
        own = set(inspect.signature(cls).parameters)
        assert own - keywords <= {"weights", "state_dtype", "centered"}
