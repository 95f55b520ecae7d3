"""What type checkers take the results for; checked by mypy, and run as it stands by the tests."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import bridle as br

single: NDArray[np.float32] = np.ones((2, 3), np.float32)
double: NDArray[np.float64] = np.ones(3)
waves: NDArray[np.complex64] = np.ones(3, np.complex64)
whole: NDArray[np.int64] = np.ones(3, np.int64)
number = np.float32(0.5)


def elementwise() -> None:
    """An array in gives an array of its type, `out` that of `out`."""
    assert_type(br.soft_threshold(single, 0.1), NDArray[np.float32])
    assert_type(br.soft_threshold(single, number, order="C"), NDArray[np.float32])
    assert_type(br.soft_threshold(number, 0.1), np.float32)
    assert_type(br.soft_threshold(-2, 0.1), np.float64)
    assert_type(br.soft_threshold(1j, 0.1), np.float64 | np.complex128)
    assert_type(br.soft_threshold(waves, 0.1), NDArray[np.complex64])
    assert_type(br.soft_threshold([1], 0.1, double, where=double > 0), NDArray[np.float64])
    assert_type(br.soft_threshold(single, 0.1, (single,), casting="same_kind"), NDArray[np.float32])
    assert_type(br.prox_l2(single, 0.1), NDArray[np.float32])
    assert_type(br.prox_l2(single, 0.1, 0.2, order="K"), NDArray[np.float32])
    assert_type(br.prox_l2(double, 0.1, out=double), NDArray[np.float64])
    assert_type(br.prox_elastic_net(single, 0.1, 0.2, np.float64(0.3)), NDArray[np.float32])
    assert_type(br.prox_elastic_net(double, l1=0.1, l2=0.2, out=double), NDArray[np.float64])
    assert_type(br.decay(single, 1), NDArray[np.float32])
    assert_type(br.decay(2.0, 0.1), np.float64)
    assert_type(br.elastic_net_gradient(double, 0.1, 0.2), NDArray[np.float64])
    assert_type(br.elastic_net_gradient(whole, 0.1, 0.2, double), NDArray[np.float64])


def unknown() -> None:
    """Here the result is what NumPy makes of the arguments."""
    assert_type(br.soft_threshold(whole, 0.1), Any)
    assert_type(br.soft_threshold(single, [0.1, 0.2, 0.3]), Any)
    assert_type(br.soft_threshold(single, 0.1, dtype=np.float64), Any)


def penalties() -> None:
    """One number without an axis."""
    assert_type(br.l1_penalty(single, 0.1), np.float64)
    assert_type(br.l1_penalty([1, 2], [0.1, 0.2]), np.float64)
    assert_type(br.l2_penalty(single, axis=None), np.float64)
    assert_type(br.l2_penalty(single, axis=(0, -1)), np.float64 | NDArray[np.float64])
    assert_type(br.elastic_net_penalty(single, 0.1, 0.2), np.float64)
    assert_type(
        br.elastic_net_penalty(single, 0.1, 0.2, keepdims=True), np.float64 | NDArray[np.float64]
    )


def dropout() -> None:
    """The same for the family."""
    bits = br.dropout_mask(3, 0.5, seed=1, packed=True)
    assert_type(bits, NDArray[np.uint8])
    assert_type(br.dropout_mask((2, 3), 0.5, seed=1, stream=2), NDArray[np.bool])
    assert_type(br.dropout(single, 0.5, seed=1, noise_shape=(1, None)), NDArray[np.float32])
    assert_type(br.dropout(single, 0.5, seed=1, inverted=False, out=single), NDArray[np.float32])
    assert_type(br.dropout(number, 0.5, seed=1), np.float32)
    assert_type(br.dropout([1.0, 2.0], 0.5, seed=1, offset=3), Any)
    assert_type(br.apply_dropout_mask(double, bits, 0.5), NDArray[np.float64])
    assert_type(br.apply_dropout_mask(double, bits, 0.5, out=double), NDArray[np.float64])
    assert_type(br.dropout_inference(single, 0.5), NDArray[np.float32])
    assert_type(br.dropout_inference(whole, 0.5, double), NDArray[np.float64])
    assert_type(br.alpha_dropout(single, 0.5, seed=1), NDArray[np.float32])
    assert_type(br.gaussian_dropout(single, 0.5, seed=1), NDArray[np.float32])
    assert_type(br.gaussian_noise(double, 0.5, seed=1, out=double), NDArray[np.float64])


def slices() -> None:
    """The same for groups, vectors, sets and matrices."""
    assert_type(br.group_soft_threshold(single, 0.1, axis=0), NDArray[np.float32])
    assert_type(br.group_soft_threshold(single, 0.1, weights=[1, 2]), NDArray[np.float32])
    assert_type(br.group_soft_threshold(whole, 0.1, out=double), NDArray[np.float64])
    assert_type(br.prox_sparse_group(double, 0.1, 0.2, labels=[0, 0, 1]), NDArray[np.float64])
    assert_type(br.group_l2_penalty(single, axis=(0, 1)), np.float64)
    assert_type(br.prox_slope(single, [0.3, 0.2, 0.1]), NDArray[np.float32])
    assert_type(br.slope_penalty(single, [0.3, 0.2, 0.1]), np.float64)
    assert_type(br.project_simplex(single, axis=0), NDArray[np.float32])
    assert_type(br.project_l1_ball([1.0, 2.0, 3.0], 2, out=double), NDArray[np.float64])
    assert_type(br.project_halfspace(double, [1, 2, 3], -1.5), NDArray[np.float64])
    assert_type(br.project_l0_ball(single, 2), NDArray[np.float32])
    assert_type(br.project_l0_ball(whole, 2, out=double), NDArray[np.float64])
    assert_type(br.project_n_m(single, 1, 3), NDArray[np.float32])
    assert_type(br.top_k_threshold([single, single], 2), float)
    assert_type(br.max_norm(single, 0.5), NDArray[np.float32])
    assert_type(br.unit_norm(double, out=double), NDArray[np.float64])
    assert_type(br.prox_nuclear(single, 0.1), NDArray[np.float32])
    assert_type(br.nuclear_penalty(single), np.float64)
    assert_type(br.orthogonal_gradient(single, mode="columns"), NDArray[np.float32])


class Halved:
    """What a user writes."""

    is_convex = True

    def value(self, w: NDArray[Any]) -> float:
        return float(np.square(w).sum() / 2)

    def prox(self, w: NDArray[Any], step: float = 1.0, out: NDArray[Any] | None = None) -> Any:
        return np.multiply(w, 1 / (1 + step), out=out)


def regularizers() -> None:
    """The weights keep their type; objects of any class that has the members are of one kind."""
    kinds: list[br.Regularizer] = [br.L1(0.1), br.NonNegative(), br.Box(-1, [1.0, 2.0]), Halved()]
    assert_type(kinds[0].value(double), float)
    assert_type(br.L1([0.1, 0.2, 0.3]).prox(single), NDArray[np.float32])
    assert_type(br.MCP(0.1, gamma=3).prox(single, 0.5), NDArray[np.float32])
    assert_type(br.L2(0.1).prox([1, 2, 3], out=double), NDArray[np.float64])
    assert_type(br.L2(0.1).prox([1, 2, 3], 0.5, double), NDArray[np.float64])
    assert_type(br.L2(0.1).prox([1, 2, 3]), Any)
    assert_type(br.L2(0.1)(single), float)
    assert_type(br.L0(1).is_convex, bool)
    kinds += [0.5 * br.L1(0.1) + br.L2(0.1), br.L1(0.1) + Halved(), br.GroupL2(0.1, axis=(0, 1))]
    assert_type((br.Simplex() * 2).prox(single), NDArray[np.float32])
    assert_type(br.SeparableSum([(slice(1), br.L1(0.1)), ([1], Halved())]).value(single), float)
    assert_type(br.MoreauEnvelope(br.L1(0.1), mu=0.5).set_params(mu=1), br.MoreauEnvelope)


def solvers() -> None:
    """Regularizers of any class; gradients in any form that arrays are made of."""
    result = br.fista(lambda x: x - 1, Halved(), single, value=lambda x: float(x.sum()))
    assert_type(result, br.FistaResult)
    assert_type(result.objective, float | None)
    assert_type(result.history["residual"], NDArray[np.float64])
    br.proximal_gradient(lambda x: [0.0, 1.0], br.L1(0.1), [1, 2], callback=lambda i, x, r: i > 2)


def optimizers() -> None:
    """Of arrays in any form; the keywords are those of the updates."""
    optimizer = br.AdamW({"a": single, "b": double}, 0.1, betas=(0.9, 0.99), l1=[0.1, 0.0])
    assert_type(optimizer.step({"a": single, "b": double}), br.UpdateSummary)
    assert_type(optimizer.iteration, int)
    br.SGD([single], 0.1, momentum=0.9, regularizer=br.MCP(0.1, gamma=3)).lr = [0.2]
    br.save_checkpoint("run.npz", weights=single, optimizer=optimizer)


def models() -> None:
    """Of whole models, in whatever form they come."""
    named, wide = {"a": single.copy()}, single.astype(np.float64)
    several: list[NDArray[Any]] = [single, double]
    assert_type(br.global_norm(several), br.GlobalNorm)
    assert_type(br.global_norm({"a": single, "b": double}, scale=0.5).l2, float)
    assert_type(br.global_norm([1.0, 2.0]).clip_scale(1.0), float)
    assert_type(br.clip_by_global_norm(named, 1.0).finite, bool)
    assert_type(br.cast(single, wide), NDArray[np.float64])
    br.accumulate(double.copy(), double, scale=2)
    br.average_update(br.cast({"a": wide}, named), {"a": single}, 0.9)
    assert_type(br.l1_penalty([single, single]), np.float64)
    assert_type(br.elastic_net_penalty({"a": single}, 0.1, 0.2), np.float64)


def mistakes() -> None:
    """What a type checker finds; the comments are errors themselves where it finds nothing."""
    br.soft_threshold(single, 0.1, nonsense=1)  # type: ignore[call-overload]
    br.soft_threshold(single, 0.1, order="X")  # type: ignore[call-overload]
    br.dropout(single, 0.5)  # type: ignore[call-overload]
    br.dropout(single, 0.5, seed="1")  # type: ignore[call-overload]
    br.l1_penalty(single, axis=0.5)  # type: ignore[call-overload]
    br.group_l2_penalty(single, axes=0)  # type: ignore[call-arg]
    br.group_soft_threshold(single, 0.1, axes=0)  # type: ignore[call-overload]
    br.project_l0_ball(single, 0.5)  # type: ignore[call-overload]
    br.orthogonal_penalty(single, mode="row")  # type: ignore[arg-type]
    br.fista(single, br.L1(0.1), single)  # type: ignore[arg-type]
    br.MCP(0.1)  # type: ignore[call-arg]
    br.plot_regularizer(br.L1(0.1), limits=3)  # type: ignore[arg-type]
    br.AdamW(single, 0.1, wieght_decay=0.1)  # type: ignore[call-arg]
    br.FTRL(single, 0.1, decay="full")  # type: ignore[call-arg]
