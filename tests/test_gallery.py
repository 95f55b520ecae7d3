"""What the examples of the gallery conclude is what they compute."""

import runpy
from pathlib import Path

import numpy as np
import pytest

for package in ("matplotlib", "scipy", "sklearn"):
    pytest.importorskip(package)
threadpoolctl = pytest.importorskip("threadpoolctl")

GALLERY = Path(__file__).parents[1] / "examples" / "gallery"


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run an example as a script, and return what is in it at the end."""
    import matplotlib

    monkeypatch.setenv("MPLBACKEND", "Agg")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.chdir(tmp_path)

    def run(name):
        with threadpoolctl.threadpool_limits(1, "blas"):  # matrices are small
            found = runpy.run_path(str(GALLERY / f"{name}.py"), run_name="__main__")
        figures = plt.get_fignums()
        plt.gcf().canvas.draw()
        plt.close("all")
        assert len(figures) == 1
        assert not list(tmp_path.iterdir())
        assert capsys.readouterr().out
        return found

    return run


def test_lasso_path(run):
    from sklearn.linear_model import lasso_path

    own = run("lasso_path")
    X, y, path = own["X"], own["y"], own["path"]  # noqa: N806
    _, expected, _ = lasso_path(X, y, alphas=own["strengths"], tol=1e-10, max_iter=100_000)
    np.testing.assert_allclose(path, expected.T, atol=1e-4)
    assert [own["names"][j] for j in own["order"][:4]] == ["bmi", "s5", "bp", "s3"]
    explained, late, four = own["explained"], own["late"], own["four"]
    assert set(np.flatnonzero(path[four])) == set(own["order"][:4])
    assert explained[four] > 0.9 * explained[-1]
    assert explained[-1] - explained[late] < 0.005
    assert own["sizes"][-1] > 1.4 * own["sizes"][late]
    s1, s2 = own["names"].index("s1"), own["names"].index("s2")
    grown = path[-1] - path[late]
    assert grown[s1] < -10 < 10 < grown[s2]
    assert np.corrcoef(X[:, s1], X[:, s2])[0, 1] > 0.85


def test_sparse_group_lasso(run):
    own = run("sparse_group_lasso")
    lasso, group, both = own["found"].values()
    error = {name: np.linalg.norm(w - own["truth"]) for name, w in own["found"].items()}
    assert error["sparse group lasso"] < 0.9 * min(error["lasso"], error["group lasso"])
    groups = [w.any(axis=1) for w in (lasso, group, both)]
    assert groups[0].sum() > 20
    assert groups[1].sum() < 16
    assert groups[2].sum() < 16
    assert group[groups[1]].all()
    assert 0.4 < np.count_nonzero(both[groups[2]]) / both[groups[2]].size < 0.7
    assert all(np.count_nonzero(w) > np.count_nonzero(own["truth"]) for w in (lasso, group, both))


def test_fused_lasso(run):
    own = run("fused_lasso")
    distances = np.abs(own["jumps"][:, None] - own["steps"])
    assert distances.min(axis=0).max() <= 4
    assert distances.min(axis=1).max() <= 4
    assert own["error"](own["fused"]) < 0.5 * own["error"](own["averaged"])
    assert own["lowered"] == pytest.approx(2 * own["strength"] / own["lengths"][3], rel=1e-9)


def test_slope(run):
    own = run("slope_correlated")
    every = np.arange(own["samples"])
    w, lasso = (own["solve"](own[name], every) for name in ("slope", "lasso"))
    np.testing.assert_array_equal(np.flatnonzero(w), np.arange(10))
    np.testing.assert_allclose(w[:5], w[0], rtol=1e-7)
    np.testing.assert_allclose(w[5:10], w[5], rtol=1e-7)
    assert np.unique(lasso[lasso != 0].round(2)).size == np.count_nonzero(lasso)
    assert own["chosen"]["SLOPE"] > 0.98
    assert own["chosen"]["lasso"] < 0.7
    assert own["spread"]["lasso"] > 3 * own["spread"]["SLOPE"]


def test_mcp(run):
    own = run("mcp_bias")
    strengths, found, same = own["strengths"], own["found"], own["same"]
    assert len(same) >= 6
    assert np.log(same[0] / same[-1]) > 0.4
    inside = (strengths <= same[0]) & (strengths >= same[-1])
    assert inside.sum() == len(same)  # at all strengths between
    for w in np.array(found["MCP"])[inside]:
        np.testing.assert_allclose(w, own["oracle"], atol=1e-4)
    assert own["strength"] in same
    assert 0.8 < -own["shrunk"] / own["strength"] < 1.5
    assert min(own["errors"]["lasso"]) > 2 * own["error"](own["oracle"])
    assert np.count_nonzero(own["best"]) > 3 * own["important"]


def test_mixture_weights(run):
    own = run("mixture_weights")
    w, em = own["result"].x, own["shares"]
    assert own["result"].converged
    assert own["distance"] < 1e-6
    assert w.min() >= 0
    assert w.sum() == pytest.approx(1, abs=1e-12)
    kept = own["centers"][w > 0]
    assert kept.size < 12
    sources = np.array([-3.2, 0.4, 2.8])
    assert np.abs(kept[:, None] - sources).min(axis=1).max() < 1
    shares = [w[np.abs(own["centers"] - source) < 1.2].sum() for source in sources]
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.05)
    assert own["value"](em) - own["value"](w) > 1e-5
    assert np.count_nonzero(em) > 25


def test_elastic_net_on_text(run):
    own = run("elastic_net_text")
    best, topical = own["best"], len(own["words"])
    scores = {name: own["accuracy"](w, own["to_test"]) for name, w in best.items()}
    assert scores["lasso"] + 0.05 < scores["ridge"] < scores["elastic net"] - 0.02
    assert best["elastic net"][:topical].all()
    assert np.count_nonzero(best["elastic net"]) < topical + 20
    assert np.count_nonzero(best["lasso"][:topical]) <= topical / 2
    assert np.count_nonzero(best["ridge"]) > 4000


def test_missing_pixels(run):
    own = run("missing_pixels")
    lost, error = own["lost"], own["error"]
    assert own["chosen"] < 0.76 * error(own["nothing"], lost)
    assert own["chosen"] < 1.01 * min(error(w, lost) for w in own["path"])
    assert 0 < own["best"] < len(own["strengths"]) - 1
    assert own["ranks"][0] == 0


def test_dropout_blocks(run):
    own = run("dropout_blocks")
    assert own["same_masks"]
    for distances in own["apart"].values():
        assert max(distances["positions"]) < 1e-13
        assert min(distances["generators"]) > 1e-3
    X, hidden = own["X"], own["alone"]["positions"][-1]  # noqa: N806
    right = (np.maximum(X @ hidden["hidden"], 0) @ hidden["out"]).argmax(axis=1) == own["labels"]
    assert right.mean() > 0.95


def test_noisy_curve(run):
    own = run("noisy_curve")
    excess, lengths = own["excess"], own["lengths"]
    assert excess[0.8, 10].mean() < 0.6 * excess[0.0, 40].mean()
    assert np.quantile(excess[0.8, 10], 0.95) < 0.6 * np.quantile(excess[0.0, 40], 0.95)
    assert lengths[0.8, 10] < 0.7 * lengths[0.0, 40]
    assert excess[0.9, 10].mean() > excess[0.8, 10].mean()
    for smoothing in own["smoothings"]:
        assert lengths[smoothing, 10] < lengths[smoothing, 40]


def test_decay_or_l2(run):
    own = run("decay_or_l2")
    test, kept = own["test"], own["kept"]
    assert test["decoupled decay"] < 0.85 * test["L2 in the gradient"] < test["without"]
    assert min(kept["L2 in the gradient"][-6:]) > 0.9
    assert max(kept["decoupled decay"][-6:]) < 1
    assert kept["L2 in the gradient"][0] < 0.7 > kept["decoupled decay"][0]
    for errors in own["errors"].values():
        assert 0 < np.argmin(errors) < len(errors) - 1


def test_pruning(run):
    own = run("pruning")
    accuracy, one_go, by_steps = own["accuracy"], own["one_go"], own["by_steps"]
    dense = accuracy(own["dense"])
    assert dense > 0.97
    assert one_go[0] > dense - 0.03
    assert one_go[1] < dense - 0.1
    assert by_steps[1] > dense - 0.01
    assert by_steps[2] > 0.93 > 0.6 > one_go[2]
    assert sum(np.count_nonzero(w) for w in own["weights"]) <= own["k"]
    assert accuracy(own["two_of_four"]) > dense - 0.01
    for w in own["two_of_four"][:2]:
        assert np.count_nonzero(w.reshape(-1, 4, w.shape[1]), axis=1).max() <= 2


def test_half_weights(run):
    own = run("half_weights")
    wide, random, nearest = own["ends"].values()
    assert random == pytest.approx(wide, rel=0.02)
    assert nearest > 5 * wide
    assert 0.75 < own["lost"] < 0.9
    stuck = own["runs"]["bfloat16, to nearest"][0]
    assert stuck[-1] == pytest.approx(stuck[len(stuck) // 2], rel=1e-3)


def test_every_example_is_listed_and_tested():
    names = {path.name for path in GALLERY.glob("*.py")}
    listed = (GALLERY / "README.rst").read_text("utf-8")
    tested = Path(__file__).read_text("utf-8")
    for name in names:
        assert f"``{name}``" in listed
        assert f'run("{name.removesuffix(".py")}")' in tested
