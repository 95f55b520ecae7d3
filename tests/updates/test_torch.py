"""The updates agree with PyTorch's optimizers where they overlap."""

import numpy as np
import pytest

import bridle as br

torch = pytest.importorskip("torch")

STEPS, LR = 20, 0.02
SHAPES = ((3, 4), (257,), ())


def problem():
    """Return weights, and a gradient for each of them in every step."""
    rng = np.random.default_rng(3)
    weights = [np.asarray(rng.normal(size=shape)) for shape in SHAPES]
    gradients = [[np.asarray(rng.normal(size=shape)) for shape in SHAPES] for _ in range(STEPS)]
    return weights, gradients


def with_torch(optimizer, **options):
    """Return the weights after the steps, and the optimizer's state by name."""
    weights, gradients = problem()
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
    opt = getattr(torch.optim, optimizer)(parameters, lr=LR, **options)
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.tensor(gradient)
        opt.step()
    names = opt.state[parameters[0]]
    state = {name: [opt.state[p][name].numpy() for p in parameters] for name in names}
    return [p.detach().numpy() for p in parameters], state


# The optimizer and its options; the update, the names of its state here and there, its options.
CASES = {
    "SGD": ({}, "sgd_update", {}, {}),
    "SGD, decay": ({"weight_decay": 0.3}, "sgd_update", {}, {"weight_decay": 0.3}),
    "SGD, momentum": (
        {"momentum": 0.9, "weight_decay": 0.3},
        "sgd_update",
        {"momentum_buffer": "momentum_buffer"},
        {"momentum": 0.9, "weight_decay": 0.3},
    ),
    "SGD, Nesterov": (
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.3},
        "sgd_update",
        {"momentum_buffer": "momentum_buffer"},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.3},
    ),
    "SGD, maximized": ({"maximize": True}, "sgd_update", {}, {"grad_scale": -1.0}),
    "Adam": (
        {"betas": (0.8, 0.98), "eps": 1e-6, "weight_decay": 0.3},
        "adamw_update",
        {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"},
        {"betas": (0.8, 0.98), "epsilon": 1e-6, "weight_decay": 0.3},
    ),
    "AdamW": (
        {"weight_decay": 0.3},
        "adamw_update",
        {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"},
        {"weight_decay": 0.3, "decay": "decoupled"},
    ),
    "Adagrad": (
        {"weight_decay": 0.3},
        "adagrad_update",
        {"accumulator": "sum"},
        {"weight_decay": 0.3},
    ),
    "RMSprop": (
        {"alpha": 0.9, "eps": 1e-6, "weight_decay": 0.3},
        "rmsprop_update",
        {"square_average": "square_avg"},
        {"alpha": 0.9, "epsilon": 1e-6, "weight_decay": 0.3},
    ),
    "RMSprop, centered": (
        {"centered": True},
        "rmsprop_update",
        {"square_average": "square_avg", "gradient_average": "grad_avg"},
        {},
    ),
    "RMSprop, momentum": (
        {"momentum": 0.9},
        "rmsprop_update",
        {"square_average": "square_avg", "momentum_buffer": "momentum_buffer"},
        {"momentum": 0.9},
    ),
    "RMSprop, centered, momentum": (
        {"centered": True, "momentum": 0.9, "weight_decay": 0.3},
        "rmsprop_update",
        {
            "square_average": "square_avg",
            "gradient_average": "grad_avg",
            "momentum_buffer": "momentum_buffer",
        },
        {"momentum": 0.9, "weight_decay": 0.3},
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("prepared", [False, True], ids=["list", "prepared"])
def test_twenty_steps_agree_to_rounding(name, prepared):
    their_options, function, states, options = CASES[name]
    expected, their_state = with_torch(name.split(",")[0], **their_options)
    weights, gradients = problem()
    state = {ours: [np.zeros_like(w) for w in weights] for ours in states}
    wrap = br.prepare if prepared else list
    w, arrays = wrap(weights), {ours: wrap(value) for ours, value in state.items()}
    for iteration, step in enumerate(gradients, start=1):
        count = {"iteration": iteration} if function == "adamw_update" else {}
        keywords = {"decay": "coupled"} | options | arrays | count
        getattr(br, function)(w, step, lr=LR, **keywords)
    for actual, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-12, atol=1e-14)
    for ours, theirs in states.items():
        for actual, wanted in zip(state[ours], their_state[theirs], strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-12, atol=1e-14)
