"""The dropout family written once more, from its description alone: bits, positions, formulas.

Nothing here looks at the library, except that `deviates` takes the last bits of the normal numbers
from it; test_gaussian.py holds those against the exact ones.
"""

import math
from functools import cache

import numpy as np

import bridle as br

from ..cases import with_positive_zeros

DIAGONALS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS += ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
CONSTANTS = tuple(np.frombuffer(b"expand 32-byte k", "<u4").tolist())
MASK32 = 2**32 - 1


def chacha(words, rounds):
    """Compute ChaCha blocks (RFC 8439) from their 16 words, arrays of uint64 or Python integers."""
    state = list(words)

    def add_xor_rotate(a, b, d, count):
        state[a] = state[a] + state[b] & MASK32
        x = state[d] ^ state[a]
        state[d] = (x << count | x >> 32 - count) & MASK32

    for _ in range(rounds // 2):
        for a, b, c, d in DIAGONALS:
            add_xor_rotate(a, b, d, 16)
            add_xor_rotate(c, d, b, 12)
            add_xor_rotate(a, b, d, 8)
            add_xor_rotate(c, d, b, 7)
    return [out + start & MASK32 for out, start in zip(state, words, strict=True)]


def halves(x):
    return x & MASK32, x >> 32


def draws(seed, stream, domain, index):
    """Return the 16-bit draws of an array of indices."""
    superblock, j = np.divmod(np.asarray(index, np.uint64), np.uint64(512))
    word, lane = np.divmod(j // np.uint64(2), np.uint64(16))
    blocks, at = np.unique(np.uint64(16) * superblock + lane, return_inverse=True)
    fixed = [*CONSTANTS, *halves(seed), domain, 0, 0, 0, 0, 0]
    words = [*fixed, *halves(blocks), *halves(stream)]
    words = [np.broadcast_to(np.asarray(w, np.uint64), blocks.shape) for w in words]
    block = np.array(chacha(words, 8))
    return block[word.astype(np.intp), at] >> np.uint64(16) * (j % np.uint64(2)) & np.uint64(0xFFFF)


def uniforms(seed, stream, index):
    high, low = (draws(seed, stream, domain, index) for domain in (0, 1))
    return high * np.uint64(65536) + low


def threshold_of(p):
    return int(np.rint((1.0 - float(p)) * 2.0**32))  # half to even


def expected_mask(size, p, *, seed, stream=0, offset=0):
    index = np.arange(size, dtype=np.uint64) + np.uint64(offset)
    return uniforms(seed, stream, index) < threshold_of(p)


def expected_dropout(x, p, *, inverted=True, **key):
    """Return the result of a p that drops and keeps something."""
    compute = np.float64 if x.dtype == np.float64 else np.float32
    scale = compute(2.0**32 / threshold_of(p)) if inverted else compute(1)
    keep = expected_mask(x.size, p, **key).reshape(x.shape)
    with np.errstate(all="ignore"):
        scaled = (x.astype(compute) * scale).astype(x.dtype)
    return with_positive_zeros(np.where(keep, scaled, x.dtype.type(0)))


KEY = {"seed": 2**32 + 7, "stream": 3}  # of the tables
LONGEST = 210_000


@cache
def table(size=LONGEST):
    """Return u(0), u(1), ... for `KEY`."""
    return uniforms(**KEY, index=np.arange(size))


@cache
def deviates(size=LONGEST):
    """Return z(0), z(1), ... for `KEY`, to the bit."""
    return br.gaussian_noise(np.zeros(size, np.float32), 1.0, **KEY)


def positions(shape, noise_shape=None, block=None):
    """Return the position of every element's random number, from its coordinates."""
    whole, origin = block or (shape, (0,) * len(shape))
    given = (None,) * len(shape) if noise_shape is None else tuple(noise_shape)
    given = (1,) * (len(shape) - len(given)) + given
    if not shape or 0 in shape:
        return np.zeros(shape, np.int64)
    lengths = [1 if n == 1 else total for n, total in zip(given, whole, strict=True)]
    at = np.indices(shape) + np.reshape(origin, (-1, *[1] * len(shape)))
    at = [0 * c if n == 1 else c for n, c in zip(given, at, strict=True)]
    return np.ravel_multi_index(at, lengths)


SATURATION = -1.7580993408473766  # of SELU


def alpha_numbers(p):
    """Return the factor, the summand and what dropped elements become, for the realised p."""
    p = 1 - threshold_of(p) / 2**32
    if p == 1:
        return 0.0, 0.0, 0.0
    a = 1 / np.sqrt((1 - p) * (1 + p * (SATURATION * SATURATION)))
    b = -a * p * SATURATION
    return a, b, a * SATURATION + b


def family(name, x, amount, index, *, inverted=True):
    """Return what a function of the family makes of x with the random numbers at `index`."""
    compute = np.float64 if x.dtype == np.float64 else np.float32
    if amount == 0:
        return x.copy()
    with np.errstate(all="ignore"):
        wide = x.astype(compute)
        if name in ("dropout", "alpha_dropout"):
            keep = table()[index] < threshold_of(amount)
            scale = 2.0**32 / max(threshold_of(amount), 1) if inverted else 1.0
            a, b, dropped = alpha_numbers(amount) if name == "alpha_dropout" else (scale, 0.0, 0.0)
            result = np.where(keep, compute(a) * wide + compute(b), compute(dropped))
        else:
            z = deviates()[index].astype(compute)
            dropout = name == "gaussian_dropout"
            deviation = compute(math.sqrt(amount / (1 - amount)) if dropout else amount)
            result = wide * (compute(1) + deviation * z) if dropout else wide + deviation * z
        return with_positive_zeros(result.astype(x.dtype))


AMOUNTS = {"dropout": 0.3, "alpha_dropout": 0.4, "gaussian_dropout": 0.2, "gaussian_noise": 0.7}
