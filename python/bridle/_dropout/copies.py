"""What copies of a dropout layer draw: masks of their own."""

from __future__ import annotations

import copy
from typing import Any, Self

from bridle._dropout.claims import one_more_copy

_BITS = 2**64 - 1


class CopiesDrawOtherMasks:
    """A layer with a `stream`, whose copies by `copy.copy` and `copy.deepcopy` have other streams.

    They do not depend on anything but the stream and the number of copies before, so that a program
    that is run again makes the same copies.
    """

    stream: int
    _copies = 0

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        return self._parted(other)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return self._parted(other)

    def _parted(self, other: Self) -> Self:
        other._copies = 0
        other.stream = stream_of_copy(int(self.stream), one_more_copy(self))
        return other


def stream_of_copy(stream: int, copies: int) -> int:
    """Return the first stream of the n-th copy of a layer: the bits 10, and 62 mixed ones.

    So it is far from the streams that users count, and from the end of the numbers.
    """
    return 1 << 63 | _mixed(_mixed(stream) + copies) >> 2


def _mixed(number: int) -> int:
    """Mix 64 bits, one to one: the step and the finalizer of SplitMix64."""
    z = (number + 0x9E3779B97F4A7C15) & _BITS
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _BITS
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _BITS
    return z ^ z >> 31
