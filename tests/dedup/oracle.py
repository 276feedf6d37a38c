"""Signatures by the text of docs/sketch.md, in plain Python: slow, short, and independent of the kernels."""

import re

M = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
SEPARATOR = rb"\xe2[\x80\x81][\x80-\xbf]|\xc2\xa0|\xe3\x80[\x80-\x82]"


def fmix64(h):
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & M
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & M
    return h ^ h >> 33


def rotl(x, r):
    return (x << r % 64 | x >> 64 - r % 64) & M


def table(seed):
    states = [seed + (i + 1) * GOLDEN & M for i in range(256)]
    mixed = [(z ^ z >> 30) * 0xBF58476D1CE4E5B9 & M for z in states]
    mixed = [(z ^ z >> 27) * 0x94D049BB133111EB & M for z in mixed]
    return [z ^ z >> 31 for z in mixed]


def shingles(text, unit, length, seed):
    codes = [table(seed)[byte] for byte in text] if unit == "char" else []
    if unit == "word":
        for word in re.findall(rb"[0-9A-Za-z\x80-\xff]+", re.sub(SEPARATOR, b" ", text)):
            w = 0
            for byte in word.lower():
                w = rotl(w, 7) ^ table(seed)[byte]
            codes.append(fmix64(w))
    windows = [codes[i : i + length] for i in range(max(1, len(codes) - length + 1))] if codes else []
    hashes = set()
    for window in windows:
        h = 0
        for code in window:
            h = rotl(h, 1) ^ code
        hashes.add(h)
    return hashes


def fss(hashes, k):
    slots = [M] * k
    for r in range(2 * k):
        for h in hashes:
            y = fmix64(h ^ r * GOLDEN & M)
            bin = (y >> 32) * k >> 32 if r < k else r - k
            slots[bin] = min(slots[bin], r << 32 | y & 0xFFFFFFFF)
        if M not in slots:
            break
    return slots


def minhash(hashes, k):
    return [min(fmix64(h ^ i * GOLDEN & M) for h in hashes) for i in range(k)]


def band_keys(slots, bands):
    rows, keys = len(slots) // bands, []
    for j in range(bands):
        key = 0xD6E8FEB86659FD93 + j * GOLDEN & M
        for slot in slots[j * rows : (j + 1) * rows]:
            key = fmix64(key ^ slot)
        keys.append(key)
    return keys


def signature(slots):
    return [fmix64(slot) & 0xFF for slot in slots]
