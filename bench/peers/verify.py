"""All contenders must have done the same work before any of them is timed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from bench.peers.arrays import restore, torch
from bench.peers.verify_updates import OPERANDS, check_update
from bench.peers.works import Work
from numpy.typing import NDArray

CHUNK = 1_000_000
TOLERANCES = {"elementwise": 1e-6, "roots": 1e-5}  # roots of float32 lose digits near the jump
STARTS = {"close": math.nan, "sum": 1.0}  # what the result holds before, where it may matter
VERIFIED = 10_000  # elements of the arrays for which the peers' float32 sums must be right


def verify(work: Work, names: dict[str, Any], short: dict[str, Any]) -> dict[str, float]:
    """Raise AssertionError where a result is wrong; return the relative errors of penalties.

    Sums that are accumulated in float32 are badly wrong in long arrays. That is what users of the
    peers get, so peers have to be right for the arrays `short` only; the errors returned are those
    for `names`.
    """
    errors: dict[str, float] = {}
    contenders = [name for name in work.statements if name != work.limit]
    if work.check in TOLERANCES:
        expected = _result(work, "bridle", names).copy()
        for contender in contenders:
            result = _result(work, contender, names)
            _check_equal(f"{work.name}: {contender}", result, expected, TOLERANCES[work.check])
    elif work.check == "dropout":
        probability = float(work.name.split()[1].rstrip(","))
        for contender in contenders:
            result = _result(work, contender, names)
            _check_dropout(f"{work.name}: {contender}", result, names["original"], probability)
    elif work.check == "gaussian":
        for contender in contenders:
            result = _result(work, contender, names)
            _check_gaussian(f"{work.name}: {contender}", result, names["original"], names["sd"])
    elif work.check in OPERANDS:
        for contender in contenders:
            check_update(work, contender, names)
    elif work.check in STARTS:
        expected = _result(work, "bridle", names, STARTS[work.check]).astype(np.float32)
        for contender in contenders:
            result = _result(work, contender, names, STARTS[work.check]).astype(np.float32)
            _check_close(f"{work.name}: {contender}", result, expected)
    elif work.check == "norm":
        exact = np.sqrt(_exact_sums(names["pieces"])[1])
        for contender in contenders:
            errors[contender] = abs(float((_result(work, contender, names) - exact) / exact))
        assert errors["bridle"] < 1e-14, f"{work.name}: bridle is off by {errors['bridle']}"
    elif work.check == "path":
        errors = _check_path(work, contenders, names)
    elif work.check == "matrix penalty":
        for contender in contenders:
            _check_matrix_penalty(work, contender, names)
    elif work.check == "penalty":
        for contender in contenders:
            small_error = _penalty_error(work, contender, short)
            assert small_error < 1e-5, f"{work.name}: {contender} is off by {small_error}"
            errors[contender] = _penalty_error(work, contender, names)
        assert errors["bridle"] < 1e-13, f"{work.name}: bridle is off by {errors['bridle']}"
    return errors


def _result(
    work: Work, contender: str, names: dict[str, Any], start: float = math.nan
) -> NDArray[Any]:
    restore(names)
    for name in {"out", work.result} - {"x", "value"}:
        names[name].fill(start)
    code = work.statements[contender]
    if work.result == "value":
        value = eval(code, names)
        return np.asarray(value.float() if torch and torch.is_tensor(value) else value)
    exec(code, names)
    return np.asarray(names[work.result])


def _check_equal(
    what: str, result: NDArray[Any], expected: NDArray[Any], relative: float = 1e-6
) -> None:
    for i in range(0, expected.size, CHUNK):
        part = slice(i, i + CHUNK)
        error = np.abs(result[part] - expected[part])
        tolerance = np.abs(expected[part]) * np.float32(relative) + np.float32(1e-9)
        assert (error <= tolerance).all(), f"{what} is wrong"


def _check_close(what: str, result: NDArray[Any], expected: NDArray[Any]) -> None:
    """Sums in float32 shift all elements of a vector a little."""
    tolerance = 1e-5 * float(np.abs(expected).max())
    assert np.abs(result - expected).max() <= tolerance, f"{what} is wrong"


def _check_dropout(what: str, result: NDArray[Any], x: NDArray[Any], p: float) -> None:
    kept = result != 0
    deviation = math.sqrt(p * (1 - p) / x.size)
    assert abs(kept.mean() - (1 - p)) < 6 * deviation, f"{what} drops another fraction"
    _check_equal(what, result[kept], x[kept] / np.float32(1 - p))


def _check_gaussian(
    what: str, result: NDArray[Any], x: NDArray[Any], sd: dict[float, np.float32]
) -> None:
    (wanted,) = sd.values()
    noise = result[x != 0] / x[x != 0] - 1
    assert abs(noise.mean(dtype=np.float64)) < 6 * wanted / math.sqrt(noise.size), f"{what}: mean"
    spread = noise.std(dtype=np.float64) / wanted - 1
    assert abs(spread) < 6 / math.sqrt(2 * noise.size) + 1e-5, f"{what}: standard deviation"


def _exact_sums(arrays: list[NDArray[Any]]) -> tuple[Any, Any]:
    """Return the sums of magnitudes and of squares, in extended precision."""
    absolute = squares = np.longdouble(0)
    for array in arrays:
        for i in range(0, array.size, CHUNK):
            chunk = array[i : i + CHUNK].astype(np.longdouble)
            absolute += np.abs(chunk).sum()
            squares += (chunk * chunk).sum()
    return absolute, squares


def _check_path(work: Work, contenders: list[str], names: dict[str, Any]) -> dict[str, float]:
    """Return by how much objectives are above the least that was found, at most."""
    lasso = names["lasso"]
    found = {c: lasso.objectives(_result(work, c, names)) for c in contenders}
    least = np.min([*found.values()], axis=0)
    errors = {contender: float(np.max(own / least - 1)) for contender, own in found.items()}
    for contender, error in errors.items():
        assert error < 1e-6, f"{work.name}: {contender} is off by {error}"
    return errors


def _check_matrix_penalty(work: Work, contender: str, names: dict[str, Any]) -> None:
    penalty = _result(work, contender, names)
    matrix = names["strided" if contender == "bridle" else "contiguous"][0]
    absolute, squares = _exact_sums(list(matrix))
    error = abs(penalty / (names["s"] * absolute + names["l2"] * squares) - 1)
    assert error < 1e-13, f"{work.name}: {contender} is off by {error}"


def _penalty_error(work: Work, contender: str, names: dict[str, Any]) -> float:
    """Return the relative error against pairwise sums in extended precision."""
    if "exact sums" not in names:
        names["exact sums"] = _exact_sums([names["original"]])
    absolute, squares = names["exact sums"]
    exact = {
        "l1_penalty": names["s"] * absolute,
        "l2_penalty": names["s"] * squares,
        "elastic_net_penalty": names["s"] * absolute + names["l2"] * squares,
    }[work.name.split(",")[0]]
    return abs(float((_result(work, contender, names) - exact) / exact))
