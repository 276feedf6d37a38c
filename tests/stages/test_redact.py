"""The stage `redact` against regular expressions and the standard library's addresses."""

from __future__ import annotations

import ipaddress
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.redact import Redact, RedactConfig

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PUNYCODE = r"(?i:xn--)(?=[A-Za-z0-9-]{1,59}(?![A-Za-z0-9-]))[A-Za-z0-9-]*[A-Za-z0-9](?![A-Za-z0-9-])"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+(?:{PUNYCODE}|[A-Za-z]{{2,}}(?![A-Za-z0-9]))")
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = re.compile(rf"(?<![A-Za-z0-9_.])(?:{OCTET}\.){{3}}{OCTET}(?![A-Za-z0-9_]|\.[0-9])")
IPV6_RUN = re.compile(r"(?<![A-Za-z0-9_.:])[0-9A-Fa-f:.]+(?<!(?<!:):)(?<!\.)")
BETWEEN = r"\)?[ .\-/]?\(?"
INTERNATIONAL = re.compile(
    rf"(?<![A-Za-z0-9_])\+[0-9](?:{BETWEEN}[0-9]){{6,14}}(?!{BETWEEN}[0-9]|[A-Za-z0-9_])"
)
AREA = r"[2-9][0-9]{2}"
AMERICAN = re.compile(
    rf"(?<![A-Za-z0-9_])(?:1[ .-])?(?:\({AREA}\) ?|{AREA}[ .-]){AREA}[ .-][0-9]{{4}}(?![A-Za-z0-9_])"
)
# fmt: off
NOT_PUBLIC = [ipaddress.ip_network(each) for each in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/3", "2001:db8::/32", "3fff::/20",
)]
# fmt: on


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    unicast = address.version == 4 or address in ipaddress.ip_network("2000::/3")
    return unicast and not any(address in each for each in NOT_PUBLIC if each.version == address.version)


def emails_of(text: str) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for sign in re.finditer("@", text):
        after = found[-1][1] if found else 0
        if sign.start() < after:
            continue
        local = re.search(r"[A-Za-z0-9._%+-]*\Z", text[after : sign.start()])
        assert local is not None
        name = local[0].lstrip(".%+-")
        domain = DOMAIN.match(text, sign.end())
        if 1 <= len(name) <= 64 and not name.endswith(".") and domain:
            found.append((sign.start() - len(name), domain.end(), "<email>"))
    return found


def number_at(text: str, at: int, ips: str, phones: bool) -> tuple[int, int, str] | None:
    run = IPV6_RUN.match(text, at)
    if ips != "none" and run and run[0].count(":") >= 2 and not re.match("[A-Za-z0-9_]", text[run.end() :]):
        try:
            address = ipaddress.IPv6Address(run[0])
        except ValueError:
            address = None
        if address and run[0] != "::" and (ips == "all" or is_public(address)):
            return run.start(), run.end(), "<ipv6>"
    v4 = IPV4.match(text, at)
    if ips != "none" and v4 and (ips == "all" or is_public(ipaddress.IPv4Address(v4[0]))):
        return v4.start(), v4.end(), "<ipv4>"
    phone = INTERNATIONAL.match(text, at) or AMERICAN.match(text, at)
    return (phone.start(), phone.end(), "<phone>") if phones and phone else None


def redacted(text: str, ips: str, phones: bool) -> str:
    """What the stage makes of a text, with names of kinds for placeholders."""
    emails = emails_of(text)
    made, at = "", 0
    while at < len(text):
        begin, end, by = emails[0] if emails else (len(text) + 1, 0, "")
        number = number_at(text, at, ips, phones)
        if at == begin:
            emails.pop(0)
            made, at = made + by, end
        elif number and number[1] <= begin:
            made, at = made + number[2], number[1]
        else:
            made, at = made + text[at], at + 1
    return made


def stage_of(**keys: object) -> Redact:
    named = {f"{kind}_placeholder": f"<{kind}>" for kind in ("email", "ipv4", "ipv6", "phone")}
    return Redact(RedactConfig.model_validate({**named, **keys}))


def run(stage: Redact, texts: list[str]) -> tuple[list[str], dict[str, list[int]]]:
    batch = Batch("web", Texts.from_arrow(pa.array(texts, pa.string())))
    rows = np.arange(len(texts))
    verdicts = stage.decide(batch, rows)
    assert (verdicts.rule == -1).all()
    edited = stage.edit(batch.texts, rows).to_arrow()
    edited.validate(full=True)
    return edited.to_pylist(), {name: column.to_pylist() for name, column in verdicts.columns.items()}


CASES = {
    # e-mail addresses
    "write to jane.doe@example.org.": "write to <email>.",
    "<mailto:JANE_DOE+web@mail.Example.CO.UK>": "<mailto:<email>>",
    "(a@b.de),c@d.fr;e-f%g@h-i.museum": "(<email>),<email>;<email>",
    "jane@example.org,joe@example.org\njim@example.org": "<email>,<email>\n<email>",
    "请联系info@example.cn或电话": "请联系<email>或电话",
    "\u201cjane@example.org\u201d \u2014 josé@example.org": "\u201c<email>\u201d \u2014 josé@example.org",
    "jane@xn--bcher-kva.xn--p1ai!": "<email>!",
    "--jane@example.org--": "--<email>--",
    "jane@example.org-2024": "<email>-2024",
    "jane@example.com.2024": "<email>.2024",
    "jane@example.com...and": "<email>...and",
    "a@b.com.c@d.com": "<email>.<email>",
    "a@b.com@d.com": "<email>@d.com",
    "follow @jane, or jane@localhost, 5@6, a@b.c": None,
    "jane.@example.org jane@-example.org @example.org": None,
    "jane@exa_mple.org jane@example.o1": None,
    "x" * 64 + "@example.org": "<email>",
    "x" * 65 + "@example.org": None,
    "a@" + "b" * 63 + ".org a@" + "b" * 64 + ".org": "<email> a@" + "b" * 64 + ".org",
    # IPv4
    "host 8.8.8.8, 1.1.1.1:53; [93.184.216.34] 8.8.4.4.": "host <ipv4>, <ipv4>:53; [<ipv4>] <ipv4>.",
    "地址8.8.8.8是 8.8.8.8/24 -8.8.8.8 255.8.8.8": "地址<ipv4>是 <ipv4>/24 -<ipv4> 255.8.8.8",
    "10.1.2.3 127.0.0.1 192.168.0.1 172.16.3.4 169.254.1.1 0.0.0.0 255.255.255.255 192.0.2.1": None,
    "172.15.3.4 172.32.3.4 100.63.0.1 100.64.0.1 198.17.1.1 198.19.1.1": (
        "<ipv4> <ipv4> <ipv4> 100.64.0.1 <ipv4> 198.19.1.1"
    ),
    "v8.8.8.8 8.8.8.8a 8.8.8.8.8 8.8.8 8.8.8.256 08.8.8.8 8.8.8.1234 8..8.8.8 _8.8.8.8": None,
    "8.8.8.8@example.org": "<email>",
    "root@8.8.8.8": "root@<ipv4>",
    # IPv6
    "[2606:4700:4700::1111]:443 2001:4860:4860:0:0:0:0:8888.": "[<ipv6>]:443 <ipv6>.",
    "2A00:1450:4001:81B::200E/64, 2600:: and 2606::1:": "<ipv6>/64, <ipv6> and <ipv6>:",
    "2606:4700::1... 2606:4700::1:. 2606:4700::1...7": "<ipv6>... <ipv6>:. 2606:4700::1...7",
    f"2606:4700::1{'.' * 60}": f"<ipv6>{'.' * 60}",
    "2606:4700::1.2.3.4 2606:4700::1%eth0": "<ipv6> <ipv6>%eth0",
    "::1 fe80::1 fd00::8 2001:db8::5 ff02::1 3fff::1 ::": None,
    "std::vector a::b 12:30:45 2600:1 12:34:56:78:9a:bc 2606:::1 2606::1::2 2606::12345": None,
    "2606:1:2:3:4:5:6:7:8 2606:1:2:3:4:5:6 x2606::1 2606::1x": None,
    # nothing else
    "+49 30 901820, (212) 555-2368, 12.12.2024, 1,234,567.89": None,
    "": None,
    "@": None,
}


@pytest.mark.parametrize("text", list(CASES))
def test_what_is_replaced_by_default(text: str) -> None:
    wanted = CASES[text] if CASES[text] is not None else text
    assert run(stage_of(), [text])[0] == [wanted]
    assert redacted(text, "public", False) == wanted


PHONES = {
    "call +49 30 901820 or +1 (212) 555-2368.": "call <phone> or <phone>.",
    "(212) 555-2368, (212)555.2368; 212-555-2368 1-212-555-2368": "<phone>, <phone>; <phone> <phone>",
    "+442071838750 +44 (0)20 7183 8750 +33.1.42.68.53.00": "<phone> <phone> <phone>",
    "+123456 +1234567890123456 2125552368 112-555-2368 212-555-23689 a212-555-2368": None,
    "2024-11-21 10:15:30, ISBN 978-3-16-148410-0, 1 000 000, +5, 555-0100": None,
}


@pytest.mark.parametrize("text", list(PHONES))
def test_telephone_numbers_when_asked_for(text: str) -> None:
    wanted = PHONES[text] if PHONES[text] is not None else text
    assert run(stage_of(phones=True), [text])[0] == [wanted]
    assert redacted(text, "public", True) == wanted


# fmt: off
PIECES = st.sampled_from([
    *"@.:-+_% ()/\n", "::", "a", "Zz", "com", "xn--", "é", "字", "0", "1", "25", "256", "8.8.8.8", "10.0.0.1",
    "2606:4700::", "fe80", "jane@example.org", "+49", "212", "555-2368", "(212) ", "dead:beef",
])
# fmt: on


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=8),
    st.sampled_from(["public", "all", "none"]),
    st.booleans(),
)
def test_any_text_is_redacted_as_the_expressions_say(texts: list[str], ips: str, phones: bool) -> None:
    wanted = [redacted(text, ips, phones) for text in texts]
    made, counts = run(stage_of(ips=ips, phones=phones), texts)
    assert made == wanted
    assert counts["redacted_emails"] == [text.count("<email>") for text in wanted]
    assert counts.get("redacted_phones") == ([text.count("<phone>") for text in wanted] if phones else None)
    counted = None if ips == "none" else [text.count("<ipv4>") + text.count("<ipv6>") for text in wanted]
    assert counts.get("redacted_ips") == counted


def test_placeholders_stay_as_they_are() -> None:
    stage = Redact(RedactConfig())
    once, _ = run(stage, ["a@b.org from 8.8.8.8 and 2606:4700::1111"])
    assert once == ["email@example.com from 192.0.2.1 and 2001:db8::1"]
    assert run(stage, once)[0] == once


def test_only_the_rows_asked_for_are_edited() -> None:
    stage = stage_of()
    texts = Texts.from_arrow(pa.array(["skip", "a@b.org", "c@d.org", "none"])[1:])
    assert stage.edit(texts, np.array([1, 2])).to_arrow().to_pylist() == ["a@b.org", "<email>", "none"]


def test_a_stage_that_would_replace_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing is left to replace"):
        RedactConfig(emails=False, ips="none")
