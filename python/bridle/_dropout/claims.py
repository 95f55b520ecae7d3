"""Streams that one call alone has, whichever threads call a layer."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, Protocol

# Held for two lines of Python, so that one for all layers is enough, and layers pickle. A signal
# handler may call a layer, too.
_lock = threading.RLock()

if hasattr(os, "register_at_fork"):  # a child may call layers, whatever other threads were at
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class Counts(Protocol):
    """A layer that counts its calls."""

    stream: int


@contextlib.contextmanager
def claimed(layer: Counts, count: int = 1) -> Iterator[int]:
    """Take the next streams of a layer, and yield the first of them.

    After an exception they are the next ones again, unless other calls have taken those that
    follow.
    """
    with _lock:
        first = int(layer.stream)
        layer.stream = first + count
    try:
        yield first
    except BaseException:
        with _lock:
            if layer.stream == first + count:
                layer.stream = first
        raise


def one_more_copy(layer: Any) -> int:
    """Count a copy of a layer, and return how many there are."""
    with _lock:
        layer._copies += 1
        return int(layer._copies)
