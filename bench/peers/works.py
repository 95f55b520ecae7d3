"""What is timed: for every row of the table the statement of each contender, and the goal.

Statements see the names of `arrays.namespace`. ``{out}`` is ``x`` in place and ``out`` otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

SMALL, CACHED = 100, 1_000_000  # elements
IDLE_SECONDS = 0.02
BUSY_SIZES = (100_000, 1_000_000, 10_000_000)
BUSY_COST = 1.1  # at most, the mean with all threads over that with one

MAPS = {
    "soft_threshold": {
        "bridle": "br.soft_threshold(x, t, out={out})",
        "NumPy": "np.clip(x, -t, t, out={tmp}); np.subtract(x, {tmp}, out={out})",
        "Numba": "nb.soft_threshold(x, t32, {out})",
        "PyTorch": "aten.softshrink.out(tx, t, out=t{out})",
    },
    "prox_elastic_net": {
        "bridle": "br.prox_elastic_net(x, t, l2, out={out})",
        "NumPy": "np.clip(x, -t, t, out={tmp}); np.subtract(x, {tmp}, out={out});"
        " np.multiply({out}, d, out={out})",
        "Numba": "nb.prox_elastic_net(x, t32, d32, {out})",
        "PyTorch": "aten.softshrink.out(tx, t, out=t{out}); t{out}.mul_(d)",
    },
    "prox_l2": {
        "bridle": "br.prox_l2(x, l2, out={out})",
        "NumPy": "np.multiply(x, d, out={out})",
        "Numba": "nb.scale(x, d32, {out})",
        "PyTorch": "torch.mul(tx, d, out=t{out})",
    },
    "decay": {
        "bridle": "br.decay(x, rate, out={out})",
        "NumPy": "np.multiply(x, c, out={out})",
        "Numba": "nb.scale(x, c32, {out})",
        "PyTorch": "torch.mul(tx, c, out=t{out})",
    },
}
# Those that compute: NumPy's functions are vectorized, those that Numba's loops call are not.
ROOTS = {
    "prox_l_half": {
        "bridle": "br.prox_l_half(x, t, out=x)",
        "NumPy": "np.abs(x, out=tmp); np.less_equal(tmp, jump['l_half'], out=drop);"
        " np.power(tmp, -1.5, out=tmp); np.multiply(tmp, -0.75 * 3**0.5 * t, out=tmp);"
        " np.maximum(tmp, -1, out=tmp); np.arccos(tmp, out=tmp); np.multiply(tmp, 2 / 3, out=tmp);"
        " np.cos(tmp, out=tmp); np.add(tmp, 1, out=tmp); np.multiply(tmp, 2 / 3, out=tmp);"
        " np.multiply(x, tmp, out=x); np.copyto(x, 0, where=drop)",
        "Numba": "nb.prox_l_half(x, t32, jump['l_half'], x)",
    },
    "prox_log_sum": {
        "bridle": "br.prox_log_sum(x, t, epsilon, out=x)",
        "NumPy": "np.abs(x, out=tmp); np.less_equal(tmp, jump['log_sum'], out=drop);"
        " np.add(tmp, epsilon, out=tmp); np.multiply(tmp, tmp, out=out);"
        " np.subtract(out, 4 * t, out=out); np.maximum(out, 0, out=out); np.sqrt(out, out=out);"
        " np.add(out, tmp, out=out); np.multiply(out, 0.5, out=out);"
        " np.subtract(out, epsilon, out=out); np.copysign(out, x, out=x);"
        " np.copyto(x, 0, where=drop)",
        "Numba": "nb.prox_log_sum(x, t32, epsilon32, jump['log_sum'], x)",
    },
}
# Of step 1, where bridle's proximal operators are those of every step.
SELECTING = {
    "hard_threshold": {
        "bridle": "br.hard_threshold(x, t, out={out})",
        "NumPy": "np.abs(x, out={tmp}); np.less_equal({tmp}, t, out=drop);"
        " np.copyto({out}, 0, where=drop)",
        "Numba": "nb.hard_threshold(x, t32, {out})",
        "PyTorch": "aten.hardshrink.out(tx, t, out=t{out})",
    },
    "project_box": {
        "bridle": "br.project_box(x, low, high, out={out})",
        "NumPy": "np.clip(x, low, high, out={out})",
        "Numba": "nb.project_box(x, low32, high32, {out})",
        "PyTorch": "torch.clamp(tx, low, high, out=t{out})",
    },
    "prox_mcp": {
        "bridle": "br.prox_mcp(x, t, gamma, out={out})",
        "NumPy": "np.abs(x, out={tmp}); np.less_equal({tmp}, gamma * t, out=drop);"
        " np.clip(x, -t, t, out={tmp}); np.subtract(x, {tmp}, out={tmp});"
        " np.multiply({tmp}, gamma / (gamma - 1), out={tmp});"
        " np.copyto({out}, {tmp}, where=drop)",
        "Numba": "nb.prox_mcp(x, t32, gamma32, {out})",
    },
    "prox_scad": {
        "bridle": "br.prox_scad(x, t, gamma, out={out})",
        "Numba": "nb.prox_scad(x, t32, gamma32, {out})",
    },
}
GIVEN = MAPS | {
    "elastic_net_gradient": {
        "bridle": "br.elastic_net_gradient(x, t, l2, out=out)",
        "NumPy": "np.sign(x, out=out); np.multiply(out, t, out=out);"
        " np.multiply(x, g, out=tmp); np.add(out, tmp, out=out)",
        "Numba": "nb.elastic_net_gradient(x, t32, g32, out)",
        "PyTorch": "torch.sign(tx, out=tout); tout.mul_(t); tout.add_(tx, alpha=g)",
    },
}
FRESH = {
    "soft_threshold": {
        "bridle": "br.soft_threshold(x, t)",
        "NumPy": "x - np.clip(x, -t, t)",
        "Numba": "nb.soft_threshold(x, t32, np.empty_like(x))",
        "PyTorch": "F.softshrink(tx, t)",
    },
    "prox_elastic_net": {
        "bridle": "br.prox_elastic_net(x, t, l2)",
        "NumPy": "(x - np.clip(x, -t, t)) * d",
        "Numba": "nb.prox_elastic_net(x, t32, d32, np.empty_like(x))",
        "PyTorch": "F.softshrink(tx, t).mul_(d)",
    },
    "decay": {
        "bridle": "br.decay(x, rate)",
        "NumPy": "x * c",
        "Numba": "nb.scale(x, c32, np.empty_like(x))",
        "PyTorch": "tx * c",
    },
    "elastic_net_gradient": {
        "bridle": "br.elastic_net_gradient(x, t, l2)",
        "NumPy": "np.sign(x) * t + x * g",
        "Numba": "nb.elastic_net_gradient(x, t32, g32, np.empty_like(x))",
        "PyTorch": "torch.sign(tx).mul_(t).add_(tx, alpha=g)",
    },
}
PENALTIES = {
    "l1_penalty": {
        "bridle": "br.l1_penalty(x, s)",
        "NumPy": "s * float(np.abs(x, out=tmp).sum())",
        "Numba": "nb.l1_penalty(x, s)",
        "PyTorch": "s * torch.linalg.vector_norm(tx, 1).item()",
    },
    "l2_penalty": {
        "bridle": "br.l2_penalty(x, s)",
        "NumPy": "s * float(np.dot(x, x))",
        "Numba": "nb.l2_penalty(x, s)",
        "PyTorch": "s * torch.dot(tx, tx).item()",
    },
    "elastic_net_penalty": {
        "bridle": "br.elastic_net_penalty(x, s, l2)",
        "NumPy": "s * float(np.abs(x, out=tmp).sum()) + l2 * float(np.dot(x, x))",
        "Numba": "nb.elastic_net_penalty(x, s, l2)",
        "PyTorch": "s * torch.linalg.vector_norm(tx, 1).item() + l2 * torch.dot(tx, tx).item()",
    },
}
DROPOUT = {
    "bridle": "br.dropout(x, {p}, seed=7, out={out})",
    "NumPy": "rng.random(dtype=np.float32, out=tmp); np.less(tmp, {p}, out=drop);"
    " np.multiply(x, 1 / (1 - {p}), out={out}); np.copyto({out}, 0, where=drop)",
    "Numba": "nb.dropout(x, {p}, np.float32(1 / (1 - {p})), {out})",
    "PyTorch": "F.dropout(tx, {p}, inplace=True)",
}
DROPOUT_OUT = {name: code for name, code in DROPOUT.items() if name != "PyTorch"}
DROPOUT_FRESH = {
    "bridle": "br.dropout(x, {p}, seed=7)",
    "NumPy": "np.where(rng.random(n, dtype=np.float32) < {p}, np.float32(0),"
    " x * np.float32(1 / (1 - {p})))",
    "Numba": "nb.dropout(x, {p}, np.float32(1 / (1 - {p})), np.empty_like(x))",
    "PyTorch": "F.dropout(tx, {p})",
}
STORED_MASK = {
    "bridle": "br.apply_dropout_mask(x, bits[{p}], {p}, out={out})",
    "NumPy": "np.multiply(x, 1 / (1 - {p}), out={out});"
    " np.copyto({out}, 0, where=np.unpackbits(bits[{p}], count=n, bitorder='little') == 0)",
}
GAUSSIAN = {
    "bridle": "br.gaussian_dropout(x, {p}, seed=7, out={out})",
    "NumPy": "rng.standard_normal(dtype=np.float32, out=tmp); np.multiply(tmp, sd[{p}], out=tmp);"
    " np.add(tmp, 1, out=tmp); np.multiply(x, tmp, out={out})",
    "PyTorch": "tx.mul_(ttmp.normal_(1, float(sd[{p}])))",
}
SNAPSHOT = {
    "bridle": "stopping.restore(out)",
    "NumPy": "np.copyto(out, original)",
    "PyTorch": "tout.copy_(toriginal)",
}
ADAMW = "br.adamw_update({arrays}, lr, iteration{options})"
L1, DECAY = 1e-9, 1e-2
REGULARIZED = f", l1={L1}, weight_decay={DECAY}"
ONE, LIST, PREPARED = (
    "x, original, out, tmp",
    "xs, originals, outs, tmps",
    "prepared[0], prepared[1], prepared[2], prepared[3]",
)
# What happens between the calls of the busy rows, on one thread and on BLAS's, and how often: a
# product takes as long as hundreds of short calls, of which too few would be left.
BETWEEN = (
    ("back to back", "pass", 0.0),
    ("other work between", "for _ in range(30): np.multiply(rest, 1.0, out=rest)", 0.0),
    ("a matmul every ms", "square @ square", 1e-3),
)
LIMITS = {
    "parallel read": "limits.read(x_at, n, threads)",
    "in-place scale": "limits.scale(x_at, 1.0, n, threads)",
    "streaming copy": "limits.copy_streaming(x_at, out_at, n, threads)",
    "copy loop": "limits.copy_loop(x_at, out_at, n, threads)",
    "four reads, three writes": "limits.update(x_at, original_at, out_at, tmp_at, n, threads)",
    "np.multiply": "np.multiply(x, c, out={out})",
}


@dataclass(frozen=True)
class Goal:
    """At least `least` times as fast as a contender, as the fastest peer or as the limit."""

    against: str
    least: float
    quantile: str = "median"

    def __str__(self) -> str:
        tail = "" if self.quantile == "median" else f" ({self.quantile})"
        if self.against == "limit":
            return f"≥ {self.least:g} of the limit"
        return f"≥ {self.least:g}x {self.against}{tail}"


@dataclass(frozen=True)
class Load:
    """What keeps the processors busy while a row is timed."""

    processes: int  # others, which never rest
    between: str
    code: str  # what `between` names
    every: float  # at least so many seconds of calls between two executions of it

    def __str__(self) -> str:
        processes = "process" if self.processes == 1 else "processes"
        return f"{self.processes} busy {processes}, {self.between}"


@dataclass(frozen=True)
class Work:
    """One row: bridle's statement, those of its peers, and the yardstick."""

    name: str
    size: int
    result: str  # where statements leave it: "x", "out", or "value" (they are expressions)
    check: str  # how it is verified; see verify.py
    statements: dict[str, str]
    limit: str
    goals: tuple[Goal, ...]
    load: Load | None = None
    prepare: str = ""  # what makes further names of those that there are
    family: str = ""  # of operators, with a picture of its own
    item: int = 0  # bytes that an element takes, read and written, where they are others

    def without(self, contender: str) -> Work:
        """Return the row as it is where a contender is not installed."""
        statements = {name: code for name, code in self.statements.items() if name != contender}
        goals = tuple(goal for goal in self.goals if goal.against != contender)
        return replace(self, statements=statements, goals=goals)

    @property
    def group(self) -> str:
        if self.check == "path":
            return "long"
        return "small" if self.size <= SMALL else "cache" if self.size <= CACHED else "memory"

    @property
    def bytes(self) -> int:
        """Bytes that must be read and written; of float32, unless the row says otherwise."""
        if self.item:
            return self.size * self.item
        if self.check == "update":
            return self.size * 28
        number = self.check == "penalty" or (self.check == "close" and self.result == "value")
        return self.size * (4 if number else 8)


def _work(
    name: str,
    size: int,
    result: str,
    statements: dict[str, str],
    limit: str,
    *goals: Goal,
    check: str = "elementwise",
    p: float = 0.0,
) -> Work:
    out, _ = place_of(result)
    tmp = "tmp" if result == "x" else "out"
    code = {
        contender: text.format(out=out, tmp=tmp, p=p)
        for contender, text in (statements | {limit: LIMITS[limit]}).items()
    }
    where = "" if check == "penalty" else place_of(result)[1]
    title = f"{name}{where}, {short(size)}"
    return Work(title, size, result, check, code, limit, goals)


def place_of(result: str) -> tuple[str, str]:
    """Return the array that takes a result, and how the name of a row says so."""
    where = {"x": " in place", "out": " into out", "value": " fresh"}[result]
    return "x" if result == "x" else "out", where


def short(size: int) -> str:
    return f"{size:.0e}".replace("e+0", "e") if size >= 1000 else str(size)


def in_memory(n: int) -> Iterator[Work]:
    share = Goal("limit", 0.95)
    for name, code in (MAPS | SELECTING).items():
        yield _work(name, n, "x", code, "in-place scale", share)
    computed = Goal("NumPy", 3.0), Goal("Numba", 1.0)
    for name, code in ROOTS.items():
        yield _work(name, n, "x", code, "in-place scale", *computed, check="roots")
    for name, code in PENALTIES.items():
        yield _work(name, n, "value", code, "parallel read", share, check="penalty")
    for name, code in GIVEN.items():
        goals = (share, Goal("the fastest peer", 1.25))
        yield _work(name, n, "out", code, "streaming copy", *goals)
    for name, code in FRESH.items():
        yield _work(name, n, "value", code, "streaming copy", Goal("PyTorch", 2.2))


def dropouts(n: int, instruction_set: str) -> Iterator[Work]:
    """With less than AVX-512 the only goal is a share of the limit."""
    wide = instruction_set == "avx512"
    share = Goal("limit", 0.9 if wide else 0.45)
    in_place = (share, Goal("PyTorch", 40.0)) if wide else (share,)
    fresh = Goal("PyTorch", 20.0)
    for p in (0.1, 0.5):
        name = f"dropout {p}" if wide else f"dropout {p} ({instruction_set})"
        yield _work(name, n, "x", DROPOUT, "in-place scale", *in_place, check="dropout", p=p)
        if wide:
            yield _work(name, n, "out", DROPOUT_OUT, "streaming copy", share, check="dropout", p=p)
            yield _work(
                name, n, "value", DROPOUT_FRESH, "streaming copy", fresh, check="dropout", p=p
            )
    if wide:
        stored, gaussian = (f"{name} 0.1" for name in ("apply_dropout_mask", "gaussian_dropout"))
        numpy = Goal("NumPy", 10.0)
        yield _work(stored, n, "x", STORED_MASK, "in-place scale", check="dropout", p=0.1)
        yield _work(gaussian, n, "x", GAUSSIAN, "in-place scale", numpy, check="gaussian", p=0.1)


def snapshots(n: int) -> Iterator[Work]:
    """The best weights put back; they are taken by the same copy."""
    yield _work("EarlyStopping.restore", n, "out", SNAPSHOT, "streaming copy", Goal("limit", 0.9))


def updates(n: int, cached: int) -> Iterator[Work]:
    """A regularized step of AdamW, beside the plain step and PyTorch's, which has no prox."""
    plain = ADAMW.format(arrays=ONE, options="")
    code = {
        "bridle": ADAMW.format(arrays=ONE, options=REGULARIZED),
        "plain": plain,
        "PyTorch": "adamw.step()",
    }
    limit, name = "four reads, three writes", "adamw_update with decay, l1 and summary"
    goals = Goal("limit", 0.95), Goal("plain", 1 / 1.03), Goal("PyTorch", 1.0)
    yield _work(name, n, "x", code, limit, *goals, check="update")
    yield _work(name, cached, "x", code, limit, Goal("PyTorch", 1.5), check="update")
    code = code | {"NumPy": f"adamw_of({ONE}, lr, iteration)"}
    yield _work(name, SMALL, "x", code, "np.multiply", Goal("PyTorch", 2.0), check="update")
    for kind, arrays in (("list", LIST), ("prepared list", PREPARED)):
        code = {
            "bridle": ADAMW.format(arrays=arrays, options=REGULARIZED),
            "one array": ADAMW.format(arrays=ONE, options=REGULARIZED),
            "PyTorch": "adamw_list.step()",
        }
        goals = Goal("one array", 1 / 1.5), Goal("PyTorch", 20.0)
        title = f"{name}, {kind} of 1000"
        yield _work(title, cached, "x", code, limit, *goals, check="update")


def in_cache(n: int) -> Iterator[Work]:
    peer = Goal("the fastest peer", 0.9)
    goals = (Goal("limit", 0.9), peer)
    for name, code in MAPS.items():
        yield _work(name, n, "x", code, "copy loop", *goals)
    for name, code in PENALTIES.items():
        yield _work(name, n, "value", code, "copy loop", *goals, check="penalty")
    for name, code in GIVEN.items():
        yield _work(name, n, "out", code, "copy loop", *goals)
    yield _work("dropout 0.1", n, "x", DROPOUT, "copy loop", peer, check="dropout", p=0.1)


def small() -> Iterator[Work]:
    goal = Goal("np.multiply", 2.0)
    for name, code in MAPS.items():
        yield _work(name, SMALL, "x", code, "np.multiply", goal)
    for name, code in GIVEN.items():
        yield _work(name, SMALL, "out", code, "np.multiply", goal)
    yield _work("dropout 0.1", SMALL, "x", DROPOUT, "np.multiply", goal, check="dropout", p=0.1)


def idle(n: int) -> Iterator[Work]:
    """All threads of bridle against one, each call after a rest."""
    goals = (Goal("one thread", 1.0), Goal("one thread", 1.0, "p90"))
    codes = {
        "soft_threshold in place": MAPS["soft_threshold"]["bridle"],
        "l1_penalty": PENALTIES["l1_penalty"]["bridle"],
        "dropout 0.1 in place": DROPOUT["bridle"],
    }
    for name, code in codes.items():
        text = code.format(out="x", p=0.1)
        title = f"{name} after {IDLE_SECONDS * 1e3:g} ms idle, {short(n)}"
        yield Work(title, n, "x", "none", {"bridle": text, "one thread": text}, "one thread", goals)


def one_thread(contender: str) -> str:
    """The name of a contender with one thread."""
    return f"{contender}, one thread"


def busy(sizes: Sequence[int], processes: Sequence[int]) -> Iterator[Work]:
    """All threads against one while the processors have other work, for those that have threads."""
    step = {"bridle": ADAMW.format(arrays=ONE, options=REGULARIZED), "PyTorch": "adamw.step()"}
    kinds = (
        ("soft_threshold", "x", MAPS["soft_threshold"], "elementwise"),
        ("l1_penalty", "value", PENALTIES["l1_penalty"], "penalty"),
        ("dropout 0.1", "x", DROPOUT, "dropout"),
        ("adamw_update with decay, l1 and summary", "x", step, "update"),
    )
    goal = Goal(one_thread("bridle"), 1 / BUSY_COST, "mean")
    loads = [Load(count, *between) for count in processes for between in BETWEEN]
    for load, (name, result, code, check), n in itertools.product(loads, kinds, sizes):
        work = _work(name, n, result, code, "parallel read", goal, check=check, p=0.1)
        work = work.without("parallel read").without("NumPy")  # NumPy has one thread
        yield replace(work, name=f"{work.name}; {load}", limit="", load=load)
