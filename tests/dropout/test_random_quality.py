"""Statistics of the random numbers, seen through the public functions, with fixed keys.

Nothing here can fail by chance: the keys are fixed. The bounds are those that a fresh key would
pass with the probability given beside them, so that a change of the generator is not failed for
bad luck. README.md in `random` says how to run a battery of other tests.
"""

import math

import numpy as np
import pytest

import bridle as br

from .oracle import KEY, draws, threshold_of, uniforms

# Of a standard normal variable: beyond 5 by chance 6e-7, of 600 such numbers together 3e-4.
SIGMAS = 5.0


def mask(size, p=0.5, **key):
    return br.dropout_mask(size, p, **({"seed": 101} | key))


def deviates(size, **key):
    return br.gaussian_noise(np.zeros(size, np.float32), 1, **({"seed": 102} | key))


def leading_bytes(size, **key):
    """Return the highest byte of each uniform: how many thresholds k·2²⁴ it reaches."""
    reached = np.zeros(size, np.uint8)
    for k in range(1, 256):
        reached += ~mask(size, 1 - k / 256, **key)
    return reached


def assert_uniform(counts):
    """Bound the chi-square statistic by 5 standard deviations of its normal approximation."""
    expected = counts.sum() / counts.size
    assert expected > 50
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = counts.size - 1
    # Wilson and Hilferty: the cube root is nearly normal. Too even is as bad as too uneven.
    cube = (chi_square / freedom) ** (1 / 3)
    deviation = (cube - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    assert abs(deviation) < SIGMAS, f"{deviation} standard deviations"


def assert_uncorrelated(a, b, context=""):
    """Bound a correlation of variables of mean 0 and variance 1."""
    count = a.size
    correlation = float(np.dot(a, b)) / math.sqrt(count)
    assert abs(correlation) < SIGMAS, f"{correlation} standard deviations {context}"


def signs(size, **key):
    return 2 * mask(size, **key).astype(np.float32) - 1


@pytest.mark.parametrize("p", [1e-6, 1e-3, 0.01, 0.1, 1 / 3, 0.5, 0.9, 0.999, 1 - 1e-6])
def test_the_proportion_kept_is_that_of_the_threshold(p):
    size = 10_000_000
    kept = threshold_of(p) / 2**32
    for seed in (1, 2**40):
        packed = br.dropout_mask(size, p, seed=seed, packed=True)
        count = int(np.bitwise_count(packed).sum())
        assert abs(count - kept * size) < SIGMAS * math.sqrt(size * kept * (1 - kept))


def test_each_position_of_a_superblock_is_kept_as_often_as_any():
    kept = mask(512 * 20_000, 0.5).reshape(20_000, 512).sum(axis=0)
    score = (kept - 10_000) / math.sqrt(5000)
    assert np.abs(score).max() < SIGMAS  # 512 of them
    assert abs((score**2).sum() - 512) < SIGMAS * math.sqrt(2 * 512)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
def test_decisions_are_not_correlated_with_those_before(p):
    size = 2_000_000
    q = 1 - threshold_of(p) / 2**32
    x = ((~mask(size, p)).astype(np.float32) - np.float32(q)) / np.float32(math.sqrt(q * (1 - q)))
    for lag in (*range(1, 65), 128, 256, 511, 512, 513, 1024, 4096):
        assert_uncorrelated(x[lag:], x[:-lag], f"at lag {lag}")


def test_deviates_are_not_correlated_with_those_before():
    z = deviates(2_000_000)
    for lag in (*range(1, 65), 128, 256, 511, 512, 513, 1024, 4096):
        assert_uncorrelated(z[lag:], z[:-lag], f"at lag {lag}")
        squares = (z * z - 1) / np.float32(math.sqrt(2))
        assert_uncorrelated(squares[lag:], squares[:-lag], f"of squares at lag {lag}")


NEIGHBOURS = [
    [{"seed": s} for s in (*range(12), 2**32 - 1, 2**32, 2**63, 2**64 - 1)],
    [{"stream": s} for s in (*range(12), 2**32 - 1, 2**32, 2**63, 2**64 - 1)],
    [{"seed": a, "stream": b} for a in range(4) for b in range(4)],
]


@pytest.mark.parametrize("keys", NEIGHBOURS, ids=["seeds", "streams", "both"])
def test_neighbouring_keys_are_not_correlated(keys):
    size = 400_000
    rows = np.stack([signs(size, **key) for key in keys])
    pairs = rows @ rows.T / math.sqrt(size)
    assert np.abs(pairs[~np.eye(len(keys), dtype=bool)]).max() < SIGMAS  # 120 pairs
    # One against the next ones, shifted: keys that start elsewhere in one sequence.
    for lag in (1, 16, 32, 511, 512, 1024):
        shifted = rows[:, lag:] @ rows[0, :-lag] / math.sqrt(size - lag)
        assert np.abs(shifted).max() < SIGMAS, f"at lag {lag}"
    normal = np.stack([deviates(100_000, **key) for key in keys])
    pairs = normal @ normal.T / math.sqrt(100_000)
    assert np.abs(pairs[~np.eye(len(keys), dtype=bool)]).max() < SIGMAS


def assert_half_changed(a, b, context):
    """Compare the bits of two arrays: half of them differ in the mean."""
    count = 8 * a.nbytes
    changed = int(np.bitwise_count(a ^ b).sum())
    assert abs(changed - count / 2) < SIGMAS * math.sqrt(count) / 2, context


def test_every_bit_of_seed_stream_and_index_changes_half_of_the_bits():
    """Seen in masks, which hold the highest bit of u, and in all bits of the oracle's u."""
    size = 65_536
    index = np.arange(8192)
    packed = mask(size, seed=0, packed=True)
    words = uniforms(0, 0, index).astype(np.uint32)
    for bit in range(64):
        for key in ({"seed": 1 << bit, "stream": 0}, {"seed": 0, "stream": 1 << bit}):
            assert_half_changed(mask(size, **key, packed=True), packed, key)
            assert_half_changed(uniforms(**key, index=index).astype(np.uint32), words, key)
    for bit in range(10, 64):
        key = {"seed": 0, "offset": 1 << bit}
        assert_half_changed(mask(size // 64, **key, packed=True), packed[: size // 512], key)


def test_patterns_of_eight_decisions_are_equally_frequent():
    packed = mask(64_000_000, packed=True)
    assert_uniform(np.bincount(packed, minlength=256))
    # Sixteen bits, too.
    assert_uniform(np.bincount(packed.view(np.uint16), minlength=65536))
    # Across superblocks, at one position of eight consecutive ones.
    across = mask(512 * 8 * 2000).reshape(2000, 8, 512).swapaxes(1, 2).reshape(-1, 8)
    assert_uniform(np.bincount(np.packbits(across, axis=1).ravel(), minlength=256))


def test_bytes_of_the_uniforms_are_equally_frequent():
    high = leading_bytes(1_000_000)
    np.testing.assert_array_equal(high[:2000], uniforms(101, 0, np.arange(2000)) >> np.uint64(24))
    assert_uniform(np.bincount(high, minlength=256))
    pairs = high[::2].astype(np.intp) * 256 + high[1::2]
    assert_uniform(np.bincount(pairs // 64, minlength=1024))
    assert_uniform(np.bincount((pairs % 256) * 4 + pairs // 256 // 64, minlength=1024))


@pytest.mark.parametrize("domain", [0, 1], ids=["high half", "low half"])
def test_both_halves_of_the_uniforms_are_uniform(domain):
    """The low half decides one element in 65536, so it is taken from the oracle."""
    half = draws(101, 0, domain, np.arange(1_000_000)).astype(np.intp)
    assert_uniform(np.bincount(half >> 8, minlength=256))
    assert_uniform(np.bincount(half & 255, minlength=256))
    assert_uniform(np.bincount(half >> 4, minlength=4096))
    bits = half[:, np.newaxis] >> np.arange(16) & 1
    score = (bits.sum(axis=0) - 500_000) / 500
    assert np.abs(score).max() < SIGMAS
    centered = 2.0 * bits - 1
    pairs = centered.T @ centered / 1000
    assert np.abs(pairs[~np.eye(16, dtype=bool)]).max() < SIGMAS
    next_ones = centered[1:].T @ centered[:-1] / math.sqrt(999_999)
    assert np.abs(next_ones).max() < SIGMAS  # 256 of them


def test_the_halves_of_one_uniform_do_not_know_of_each_other():
    u = uniforms(101, 0, np.arange(1_000_000))
    high, low = (
        (half.astype(np.float64) - 32767.5) / 18918.6
        for half in (u >> np.uint64(16), u & np.uint64(65535))
    )
    assert_uncorrelated(high, low)
    both = (u >> np.uint64(28) << np.uint64(4)) | (u >> np.uint64(12) & np.uint64(15))
    assert_uniform(np.bincount(both.astype(np.intp), minlength=256))


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_runs_are_as_many_and_as_long_as_they_should_be(p):
    size = 5_000_000
    keep = mask(size, p)
    kept = threshold_of(p) / 2**32
    changes = np.flatnonzero(keep[1:] != keep[:-1])
    n1, n0 = int(keep.sum()), size - int(keep.sum())
    # Wald and Wolfowitz.
    mean = 2 * n1 * n0 / size
    deviation = math.sqrt(mean * (mean - 1) / size)
    assert abs(changes.size - mean) < SIGMAS * deviation
    lengths = np.diff(changes)
    for value, others in ((True, kept), (False, 1 - kept)):
        own = lengths[keep[changes[:-1] + 1] == value]
        for length in range(1, 12):
            expected = own.size * others ** (length - 1) * (1 - others)
            if expected > 100:
                count = (own == length).sum()
                assert abs(count - expected) < SIGMAS * math.sqrt(expected), (value, length)


def test_the_distribution_of_the_deviates_is_normal():
    """Kolmogorov and Smirnov: √n·D is beyond 2.5 in 7e-6 of all cases, below 0.25 in 1e-8."""
    erfc = np.frompyfunc(math.erfc, 1, 1)
    for key in ({"seed": 102}, {"seed": 2**50, "stream": 9, "offset": 2**45}):
        z = np.sort(deviates(500_000, **key)).astype(np.float64)
        below = erfc(-z / math.sqrt(2)).astype(np.float64) / 2
        steps = np.arange(z.size + 1) / z.size
        distance = max(np.abs(below - steps[1:]).max(), np.abs(below - steps[:-1]).max())
        assert 0.25 < distance * math.sqrt(z.size) < 2.5


def test_the_tails_of_the_deviates_are_as_heavy_as_they_should_be():
    z = deviates(10_000_000)
    for limit in (2, 3, 4, 4.5, 5):
        expected = z.size * math.erfc(limit / math.sqrt(2)) / 2
        for count in (int((z > limit).sum()), int((z < -limit).sum())):
            # Poisson: 5 standard deviations, and 5 for the few.
            assert abs(count - expected) < SIGMAS * math.sqrt(expected) + 5


def test_gaussian_noise_and_masks_of_one_key_are_one_random_number():
    """They are no independent draws, as documented: other streams are needed for that."""
    z, keep = deviates(100_000, **KEY), mask(100_000, **KEY)
    assert np.mean((z < 0) == keep) > 0.9999
    other = mask(100_000, **(KEY | {"stream": 4}))
    assert_uncorrelated(z, 2 * other.astype(np.float32) - 1)


def test_no_superblock_repeats():
    """Of 20,000 keys and places, 512 bits each, no two are equal, and none is that of another."""
    seen = set()
    for seed in range(20):
        for stream in range(10):
            bits = mask(512 * 100, seed=seed, stream=stream, packed=True).reshape(100, 64)
            seen.update(row.tobytes() for row in bits)
    assert len(seen) == 20_000
