"""Numbers as people read them; a number and its unit are held together by a no-break space."""

from __future__ import annotations

_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def count(value: int) -> str:
    """All digits, in groups of three: 1,234,567."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """With what is counted: 1 shard, 1,234 shards."""
    return f"{count(value)} {noun if value == 1 else noun + 's'}"


def compact(value: float) -> str:
    """Three digits and a scale (k, M, B = 10^9, T): 1.23 M. Below ten thousand all digits."""
    return f"{value:,.0f}" if value < 10_000 else _scaled(value, "")


def size(value: int) -> str:
    """Bytes in decimal units: 3.49 GB."""
    return f"{value:,}\u00a0B" if value < 1_000 else _scaled(value, "B")


def share(value: float) -> str:
    """A share of the whole as a percentage: 12.3 %, and < 0.1 % rather than zero for what is not zero."""
    if 0 < value < 0.001:
        return "<\u00a00.1\u00a0%"
    return f"{100 * value:.1f}\u00a0%"


def _scaled(value: float, unit: str) -> str:
    for scale, name in _SCALES:
        # What would round to 1000 of a unit belongs to the next one.
        if value >= 0.9995 * scale:
            digits = value / scale
            decimals = 2 if digits < 9.995 else 1 if digits < 99.95 else 0
            symbol = {"B": "G"}.get(name, name) + unit if unit else name
            return f"{digits:.{decimals}f}\u00a0{symbol}"
    return f"{value:,.0f}"
