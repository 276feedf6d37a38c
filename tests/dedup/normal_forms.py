"""Normal forms of texts and URLs by the words of docs/sketch.md in plain Python, independent of the kernels."""

from __future__ import annotations

import re

#: Letters that have a lowercase form: hexadecimal ranges, of `/` every second.
LETTERS = """41-5A C0-D6 D8-DE 100/12E 132/136 139/147 14A/176 179/17D 1A0 1AF 218 21A 386 388-38A 38C 38E 38F 391-3A1
3A3-3AB 400-42F 460/480 48A/4BE 4C1/4CD 4D0/52E 531-556 1E00/1E94 1EA0/1EFE FF21-FF3A"""
DIGITS = [zero + i for zero in (0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10) for i in range(10)]
PUNCTUATION = """0-2F 3A-40 5B-60 7B-A9 AB-B1 B4 B6-B8 BB BF D7 F7 55A-55F 589-58A 5BE 5C0 5C3 5F3-5F4 60C-60D 61B-61F
66A-66D 6D4 964-965 2000-206F 20A0-20CF 2E00-2E7F 3000-3003 3008-3020 3030 30FB FE10-FE19 FE30-FE6F FEFF FF01-FF0F
FF1A-FF20 FF3B-FF40 FF5B-FF65"""


def codes(ranges: str) -> list[int]:
    found: list[int] = []
    for part in ranges.split():
        first, last = (int(end, 16) for end in (re.split("[-/]", part) * 2)[:2])
        found += range(first, last + 1, 2 if "/" in part else 1)
    return found


LOWER = {code: chr(code).lower() for code in codes(LETTERS)}
ZERO = dict.fromkeys(DIGITS, "0")
GAP = re.compile(rf"[\s{re.escape(''.join(map(chr, codes(PUNCTUATION))))}]+")
TRACKING = """_ga _gl _hsenc _hsmi dclid fbclid gbraid gclid gclsrc igshid mc_cid mc_eid mkt_tok msclkid oly_anon_id
oly_enc_id ref_src srsltid ttclid twclid vero_id wbraid yclid"""


def normal_text(text: str, steps: list[str]) -> str:
    if "lowercase" in steps:
        text = text.translate(LOWER)
    if "digits" in steps:
        text = text.translate(ZERO)
    return GAP.sub(" ", text).strip(" ") if "punctuation" in steps else text


def normal_escapes(part: bytes) -> bytes:
    def written(found: re.Match[bytes]) -> bytes:
        byte = bytes.fromhex(found[0][1:].decode()) if len(found[0]) == 3 else found[0]
        plain = re.fullmatch(rb"[A-Za-z0-9._~-]", byte)
        return byte if plain else b"%%%02X" % byte[0]

    return re.sub(rb"%[0-9A-Fa-f]{2}|[\x00-\x20\x7f-\xff\"<>\\^`{|}]", written, part)


def normal_host(host: bytes) -> bytes:
    host = host.rpartition(b"@")[2]
    named, port = re.fullmatch(rb"(.*?)(?::([0-9]*))?", host, re.DOTALL).groups()  # type: ignore[union-attr]
    named = normal_escapes(named.removesuffix(b"."))
    named = re.sub(
        rb"%[0-9A-F]{2}|[A-Z]", lambda found: found[0] if len(found[0]) == 3 else found[0].lower(), named
    )
    named = re.sub(rb"\Awww\.(?=.*\.)", b"", named, flags=re.DOTALL)
    port = (port or b"").lstrip(b"0")
    return named if port in (b"", b"80", b"443") else named + b":" + port


def normal_url(url: bytes) -> bytes:
    url = url.strip(bytes(range(0x21))).partition(b"#")[0]
    url = re.sub(rb"\A(?:[A-Za-z][A-Za-z0-9+.-]*:)?//", b"", url)
    address, _, query = url.partition(b"?")
    host, slash, path = address.partition(b"/")
    kept = [normal_escapes(parameter) for parameter in query.split(b"&")]
    kept = [parameter for parameter in kept if parameter and not tracked(parameter)]
    found = (normal_host(host) + normal_escapes(slash + path)).rstrip(b"/")
    return found + (b"?" + b"&".join(kept) if kept else b"")


def tracked(parameter: bytes) -> bool:
    name = parameter.partition(b"=")[0].decode("latin-1").lower()
    return name.startswith("utm_") or name in TRACKING.split()
