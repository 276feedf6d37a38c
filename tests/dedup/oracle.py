"""Sketches by the text of docs/sketch.md in plain Python: slow, short, independent of the kernels."""

import re
from functools import reduce

M, GOLDEN = (1 << 64) - 1, 0x9E3779B97F4A7C15
SEPARATOR = rb"\xe2[\x80\x81][\x80-\xbf]|\xc2\xa0|\xe3\x80[\x80-\x82]"


def xor_multiply(h, shift, factor):
    return (h ^ h >> shift) * factor & M


def fmix64(h):
    h = xor_multiply(xor_multiply(h, 33, 0xFF51AFD7ED558CCD), 33, 0xC4CEB9FE1A85EC53)
    return h ^ h >> 33


def rotl(x, r):
    return (x << r | x >> 64 - r) & M


def table(seed):
    z = [seed + (i + 1) * GOLDEN & M for i in range(256)]
    z = [xor_multiply(xor_multiply(x, 30, 0xBF58476D1CE4E5B9), 27, 0x94D049BB133111EB) for x in z]
    return [x ^ x >> 31 for x in z]


def chain(codes, rotation):
    return reduce(lambda h, code: rotl(h, rotation) ^ code, codes, 0)


def shingles(text, unit, length, seed):
    t = table(seed)
    words = re.findall(rb"[0-9A-Za-z\x80-\xff]+", re.sub(SEPARATOR, b" ", text)) if unit == "word" else []
    words = [fmix64(chain([t[byte] for byte in word.lower()], 7)) for word in words]
    codes = words if unit == "word" else [t[byte] for byte in text]
    return {chain(codes[i : i + length], 1) for i in range(max(len(codes) - length + 1, codes != []))}


def fss(hashes, k):
    slots = [M] * k
    for r in range(2 * k):
        for h in hashes if M in slots else ():
            y = fmix64(h ^ r * GOLDEN & M)
            bin = (y >> 32) * k >> 32 if r < k else r - k
            slots[bin] = min(slots[bin], r << 32 | y & 0xFFFFFFFF)
    return slots


def minhash(hashes, k):
    return [min(fmix64(h ^ i * GOLDEN & M) for h in hashes) for i in range(k)]


def band_key(slots, band):
    return reduce(lambda key, slot: fmix64(key ^ slot), slots, 0xD6E8FEB86659FD93 + band * GOLDEN & M)


def signature(slots):
    return bytes(fmix64(slot) & 0xFF for slot in slots)
