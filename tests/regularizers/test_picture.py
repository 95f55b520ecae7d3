"""The picture of a regularizer shows what its functions return."""

import math
import subprocess
import sys

import numpy as np
import pytest

import bridle as br

from .examples import EVERY, PARTS, named

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.figure import Figure  # noqa: E402


class AtLeast:
    """A set as users write it."""

    is_convex = True

    def value(self, w):
        return 0.0 if np.all(w >= 0.5) else math.inf

    def prox(self, w, step=1.0, out=None):
        return np.maximum(w, 0.5, out=out)


def lines(figure):
    """Return the points of the lines that have a name."""
    every = [line for axes in figure.axes for line in axes.lines]
    points = {line.get_label(): line.get_xydata() for line in every}
    return {name: points[name] for name in ("penalty", "envelope", "prox")}


def known(points):
    return points[~np.isnan(points[:, 1])]


def functions(regularizer, at, index, step):
    """Return what the lines of a picture should show."""

    def weights(w):
        given = at.copy()
        given.flat[index] = w
        return given

    def prox(w):
        return regularizer.prox(weights(w), step).flat[index]

    def envelope(w):
        near = regularizer.prox(weights(w), step)
        return regularizer.value(near) + np.square(near - weights(w)).sum() / (2 * step)

    return {"penalty": lambda w: regularizer.value(weights(w)), "envelope": envelope, "prox": prox}


@pytest.mark.parametrize(("regularizer", "shape"), **named(EVERY))
def test_lines_are_the_functions_of_one_weight(regularizer, shape):
    at = np.random.default_rng(0).normal(size=shape)
    index, step = at.size - 2, 0.6
    figure = br.plot_regularizer(regularizer, step=step, limits=(-2, 1), at=at, index=index)
    drawn = lines(figure)
    for name, function in functions(regularizer, at, index, step).items():
        places, heights = known(drawn[name])[::40].T
        np.testing.assert_array_equal(heights, [function(w) for w in places], name)
    assert len(known(drawn["prox"])) >= 801
    envelope, penalty = (dict(known(drawn[name])) for name in ("envelope", "penalty"))
    both = envelope.keys() & penalty.keys()
    assert all(envelope[w] <= penalty[w] + 1e-9 for w in both)


@pytest.mark.parametrize("regularizer", [br.L1(1.0), br.GroupMCP(1.0, 2.0), AtLeast()])
def test_a_weight_is_alone_by_default(regularizer):
    figure = br.plot_regularizer(regularizer)
    drawn = lines(figure)
    expected = functions(regularizer, np.zeros(1), 0, 1.0)
    for name, points in drawn.items():
        assert all(expected[name](w) == height for w, height in known(points))
    assert drawn["envelope"][0, 0] == -3
    assert drawn["envelope"][-1, 0] == 3
    figure.draw_without_rendering()


def test_the_envelope_is_that_of_the_class():
    envelope = br.MoreauEnvelope(br.ElasticNet(0.7, 0.2), 0.5)
    places, heights = lines(br.plot_regularizer(br.ElasticNet(0.7, 0.2), step=0.5))["envelope"].T
    np.testing.assert_allclose(heights, [envelope.value([w]) for w in places], atol=1e-15)


JUMPS = [
    (br.L0(0.5), {}, "prox", 1.0),
    (br.L0(0.5), {"step": 4.0}, "prox", 2.0),
    (br.MCP(1.0, 0.5), {}, "prox", math.sqrt(0.5)),
    (br.LHalf(1.0), {}, "prox", 1.5),
    (br.GroupMCP(1.0, 0.5), {}, "prox", math.sqrt(0.5)),
    (br.L0(0.5), {}, "penalty", 0.0),
]


@pytest.mark.parametrize(("regularizer", "options", "name", "place"), JUMPS)
def test_a_jump_is_a_gap_at_its_place(regularizer, options, name, place):
    places, heights = lines(br.plot_regularizer(regularizer, **options))[name].T
    gaps = np.flatnonzero(np.isnan(heights))
    np.testing.assert_allclose(places[gaps], [-place, place], atol=1e-11)
    for gap in gaps:
        assert abs(heights[gap + 1] - heights[gap - 1]) > 0.4
        np.testing.assert_allclose(places[[gap - 1, gap + 1]], places[gap], atol=1e-11)


@pytest.mark.parametrize(
    "regularizer", [br.L1(1.0), br.LHalf(1.0), br.LogSum(1.0, 0.01), br.L2(100.0), br.Huber(9, 0.1)]
)
def test_what_is_only_steep_has_no_gap(regularizer):
    penalty, envelope, _ = lines(br.plot_regularizer(regularizer)).values()
    assert not np.isnan(penalty).any()
    assert not np.isnan(envelope).any()


SETS = [
    (br.Box(-0.3, 0.7), {}, [(-3, -0.3), (0.7, 3)]),
    (br.NonNegativeL1(2.0), {}, [(-3, 0)]),
    (br.Translated(br.L2Ball(1.0), 0.1), {}, [(-3, -0.9), (1.1, 3)]),
    (br.L1Ball(1.0), {"at": [0.0, 0.3], "limits": (0.5, 2)}, [(0.7, 2)]),
    (AtLeast(), {}, [(-3, 0.5)]),
    (br.L1Ball(1.0), {"at": [0.0, 1.3]}, [(-3, 3)]),
    (br.NonNegative(), {"limits": (1, 2)}, []),
]


@pytest.mark.parametrize(("regularizer", "options", "outside"), SETS)
def test_outside_of_sets_is_shaded_up_to_their_border(regularizer, options, outside):
    figure = br.plot_regularizer(regularizer, **options)
    found = []
    for span in figure.axes[0].patches:
        corners = span.get_patch_transform().transform(span.get_path().vertices)
        found.append((corners[:, 0].min(), corners[:, 0].max()))
    np.testing.assert_allclose(np.reshape(found, (-1, 2)), np.reshape(outside, (-1, 2)), atol=1e-7)
    places = known(lines(figure)["penalty"])[:, 0]
    for low, high in outside:
        assert not ((places > low + 1e-6) & (places < high - 1e-6)).any()


@pytest.mark.parametrize("regularizer", [br.Simplex(0.7654321), br.L0(0.5), br.Box(0.3, 0.3)])
def test_what_holds_at_a_single_weight_is_a_dot(regularizer):
    costs = br.plot_regularizer(regularizer).axes[0]
    dots = [line for line in costs.lines if line.get_marker() == "o"]
    (dot,) = [line.get_xydata()[0] for line in dots if line.get_markerfacecolor() != (1, 1, 1, 1)]
    assert dot[1] == 0
    assert regularizer.value([dot[0]]) == 0
    hollow = [*map(tuple, {tuple(line.get_xydata()[0]) for line in dots} - {tuple(dot)})]
    assert hollow == ([(0, 0.5)] if isinstance(regularizer, br.L0) else [])


def test_axes_that_are_given_are_drawn_in():
    whole = Figure()
    part = whole.subfigures(1, 2)[1]
    pair = part.subplots(1, 2)
    for regularizer in (br.L1(1.0), br.MCP(1.0, 2.0)):
        assert br.plot_regularizer(regularizer, axes=pair) is whole
    assert len(whole.axes) == 2
    costs = [line for line in pair[0].lines if line.get_label() == "penalty"]
    assert len({line.get_color() for line in costs}) == 2
    assert br.plot_regularizer(br.L1(1.0), axes=[*pair]) is whole


def test_the_title_tells_the_regularizer():
    assert br.plot_regularizer(br.L1(1.0), step=0.5).get_suptitle() == "L1(strength=1.0), step=0.5"
    assert br.plot_regularizer(AtLeast()).get_suptitle() == "AtLeast, step=1"


def test_pyplot_knows_of_nothing():
    program = (
        "import sys, bridle as br; assert 'matplotlib' not in sys.modules;"
        "br.plot_regularizer(br.L1(1.0)).canvas.draw();"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_matplotlib_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'^plot_regularizer: .*"bridle\[plot\]"$'):
        br.plot_regularizer(br.L1(1.0))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"regularizer": br.L1}, TypeError, "regularizer must be a regularizer, got"),
        ({"step": 0}, ValueError, "step must be > 0 and finite, got 0"),
        ({"step": math.inf}, ValueError, "step must be > 0 and finite, got inf"),
        ({"step": "1"}, TypeError, "step must be a real number, got '1'"),
        ({"limits": 3}, TypeError, "limits must be two numbers, got 3"),
        ({"limits": (1, 1)}, ValueError, r"limits must be finite and rising, got \(1, 1\)"),
        ({"limits": (0, math.nan)}, ValueError, "limits must be finite and rising, got"),
        ({"at": [math.nan]}, ValueError, r"at must be weights that are finite, got \[nan\]"),
        ({"at": []}, ValueError, r"at must be weights that are finite, got \[\]"),
        ({"at": [0, 0], "index": 2}, ValueError, "index must be"),
        ({"axes": Figure().subplots()}, TypeError, "axes must be two axes of Matplotlib, got"),
        (
            {"regularizer": br.SeparableSum(PARTS)},
            ValueError,
            "at must be given, since the regularizer does not take a single weight: SeparableSum:",
        ),
    ],
)
def test_wrong_arguments_are_one_line(options, error, message):
    with pytest.raises(error, match=f"^plot_regularizer: {message}"):
        br.plot_regularizer(**{"regularizer": br.L1(1.0)} | options)


def test_what_has_no_prox_says_so():
    with pytest.raises(NotImplementedError, match="L1"):
        br.plot_regularizer(br.L1(1.0) + br.LinfNorm(1.0))
