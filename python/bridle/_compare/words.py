"""How several things are named in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(text: str) -> str:
    """Return a name or a value as it stands in messages."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def listed(items: Sequence[str], total: int | None = None) -> str:
    """Join the first items of ``total``, and say how many more there are."""
    more = (len(items) if total is None else total) - len(items)
    if more:
        return f"{', '.join(items)} and {more:,} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
