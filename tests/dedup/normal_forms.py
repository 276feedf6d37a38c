"""Normal forms of texts and URLs by the words of docs/sketch.md in plain Python, independent of the kernels."""

from __future__ import annotations

import re

LOWERED = (
    [*range(0x41, 0x5B), *range(0xC0, 0xD7), *range(0xD8, 0xDF), 0x1A0, 0x1AF, 0x218, 0x21A]
    + [*range(0x100, 0x12F, 2), *range(0x132, 0x137, 2), *range(0x14A, 0x177, 2)]
    + [*range(0x139, 0x148, 2), *range(0x179, 0x17E, 2)]
    + [0x386, 0x388, 0x389, 0x38A, 0x38C, 0x38E, 0x38F, *range(0x391, 0x3A2), *range(0x3A3, 0x3AC)]
    + [*range(0x400, 0x430), *range(0x460, 0x481, 2), *range(0x48A, 0x4BF, 2), *range(0x4D0, 0x52F, 2)]
    + [*range(0x4C1, 0x4CE, 2), *range(0x531, 0x557), *range(0x1E00, 0x1E95, 2), *range(0x1EA0, 0x1EFF, 2)]
    + [*range(0xFF21, 0xFF3B)]
)
DIGITS = [zero + i for zero in (0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10) for i in range(10)]
PUNCTUATION = """0-2F 3A-40 5B-60 7B-A9 AB-B1 B4 B6-B8 BB BF D7 F7 55A-55F 589-58A 5BE 5C0 5C3 5F3-5F4 60C-60D 61B-61F
66A-66D 6D4 964-965 2000-206F 20A0-20CF 2E00-2E7F 3000-3003 3008-3020 3030 30FB FE10-FE19 FE30-FE6F FEFF FF01-FF0F
FF1A-FF20 FF3B-FF40 FF5B-FF65"""

LOWER = {code: chr(code).lower() for code in LOWERED}
ZERO = dict.fromkeys(DIGITS, "0")
GAP = re.compile(
    r"[\s"
    + "".join("-".join(f"\\U{int(end, 16):08X}" for end in part.split("-")) for part in PUNCTUATION.split())
    + "]+"
)
TRACKING = set(
    """_ga _gl _hsenc _hsmi dclid fbclid gbraid gclid gclsrc igshid mc_cid mc_eid mkt_tok msclkid oly_anon_id
    oly_enc_id ref_src srsltid ttclid twclid vero_id wbraid yclid""".split()
)


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
    named = re.sub(rb"%..|[A-Z]", lambda found: found[0] if found[0][:1] == b"%" else found[0].lower(), named)
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
    return name.startswith("utm_") or name in TRACKING
