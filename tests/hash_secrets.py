"""Secrets that hashes are keyed with (HashKey in curate/kernels/hash.h), one of which texts here are crafted for."""

from __future__ import annotations

WORD = 2**64 - 1

OTHER_SECRETS = (0, 1, 0x0123456789ABCDEF, WORD)


def _unmixed(mixed: int) -> int:
    """What splitmix64 mixed."""
    for shift, factor in ((31, 0x94D049BB133111EB), (27, 0xBF58476D1CE4E5B9), (30, 1)):
        value = mixed
        for _ in range(64 // shift):
            value = mixed ^ value >> shift
        mixed = value * pow(factor, -1, 2**64) & WORD
    return mixed


#: The first half of the key that KNOWN_SECRET gives, as bytes. A product with what starts with them is 0, whatever
#: follows.
KNOWN_HALF = b"attacker"
KNOWN_SECRET = (_unmixed(int.from_bytes(KNOWN_HALF, "little")) - 0x9E3779B97F4A7C15) & WORD
