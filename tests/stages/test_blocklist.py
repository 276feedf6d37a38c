"""The stage `blocklist`: domains, words of URLs, words of texts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import SourceError
from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.blocklist import Blocklist, BlocklistConfig


def listed(folder: Path, name: str, *entries: str) -> str:
    (folder / name).write_text("\n".join(entries) + "\n", encoding="utf-8")
    return str(folder / name)


def blocked(
    stage: Blocklist, texts: list[str], **columns: list[str | None]
) -> list[tuple[str, float, str] | None]:
    """Reason, value and entry of each text."""
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    stage.definition()
    verdicts = stage.decide(Batch("web", Texts.from_arrow(pa.array(texts)), arrays), np.arange(len(texts)))
    entries = verdicts.columns["blocked_by"].to_pylist()
    return [
        None if rule < 0 else (stage.rules[rule], value, entry)
        for rule, value, entry in zip(verdicts.rule, verdicts.value, entries, strict=True)
    ]


def test_a_domain_blocks_what_is_below_it(tmp_path: Path) -> None:
    lists = listed(
        tmp_path, "domains.txt", "bad.example", "*.Worse.example.", "", "co.bad.example", "10.1.2.3"
    )
    stage = Blocklist(BlocklistConfig.model_validate({"domains": lists}))
    urls = {
        "https://bad.example/page": "bad.example",
        "HTTP://WWW.Bad.Example:8080?q=1": "bad.example",
        "https://user:secret@a.co.bad.example./": "co.bad.example",
        "//worse.example#top": "worse.example",
        "www.worse.example/path": "worse.example",
        "http://10.1.2.3/": "10.1.2.3",
        "https://notbad.example/": None,
        "https://bad.example.org/bad.example": None,
        "https://example/?u=https://bad.example": None,
        "": None,
        "example": None,
    }
    found = blocked(stage, [""] * len(urls), url=list(urls))
    assert [each and (each[0], each[2]) for each in found] == [
        entry and ("blocklist.domain", entry) for entry in urls.values()
    ]
    assert blocked(stage, [""], url=[None]) == [None]
    assert not stage.reads_text


def test_words_of_urls_are_whole(tmp_path: Path) -> None:
    lists = listed(tmp_path, "words.txt", "casino", "free money")
    stage = Blocklist(BlocklistConfig.model_validate({"url_words": [lists], "url": "link"}))
    links = [
        "https://x.org/best-casino_1.html",
        "https://x.org/casinos",
        "http://free.money/",
        "x.org/freemoney",
    ]
    assert blocked(stage, [""] * 4, link=links) == [
        ("blocklist.url_word", 1, "casino"),
        None,
        ("blocklist.url_word", 1, "free money"),
        None,
    ]


def test_bad_words_by_language(tmp_path: Path) -> None:
    english = listed(tmp_path, "en.txt", "gift", "bad egg")
    german = listed(tmp_path, "de.txt", "übel")
    japanese = listed(tmp_path, "ja.txt", "悪い")
    config = {"words": {"en": english, "de": [german], "ja": japanese}}
    stage = Blocklist(BlocklistConfig.model_validate(config))
    assert stage.requires == ("lang",)
    texts = [
        "A GIFT, a gift!",
        "Ein Gift.",
        "So ÜBEL!",
        "verübelt",
        "a bad, egg",
        "bad eggs",
        "とても悪いです",
        "gift",
    ]
    found = blocked(stage, texts, lang=["en", "de", "de", "de", "en", "en", "ja", None])
    assert [each and each[1:] for each in found] == [
        (2, "gift"),
        None,
        (1, "übel"),
        None,
        (1, "bad egg"),
        None,
        (1, "悪い"),
        None,
    ]
    some = Blocklist(BlocklistConfig.model_validate({"words": english, "max_words": 1}))
    assert some.requires == ()
    found = blocked(some, ["a gift", "a gift and a bad egg", "gift-gift"])
    assert found == [None, ("blocklist.bad_word", 2, "gift"), ("blocklist.bad_word", 2, "gift")]


def test_the_first_rule_names_the_drop(tmp_path: Path) -> None:
    config = {
        "domains": listed(tmp_path, "domains.txt", "bad.example"),
        "url_words": listed(tmp_path, "url.txt", "bad"),
        "words": listed(tmp_path, "words.txt", "ugly"),
    }
    stage = Blocklist(BlocklistConfig.model_validate(config))
    urls = ["http://bad.example", "http://good.example/bad", "http://good.example", "http://good.example"]
    found = blocked(stage, ["ugly", "ugly", "ugly", "fine"], url=urls)
    assert [each and each[0] for each in found] == [*stage.rules, None]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(
        st.lists(st.sampled_from(["a", "b", "É"]), min_size=1, max_size=3), min_size=1, max_size=4
    ),
    texts=st.lists(st.text(alphabet="aAbBéc .-\n", max_size=20), min_size=1, max_size=5),
)
def test_words_match_as_an_expression_would(
    tmp_path: Path, entries: list[list[str]], texts: list[str]
) -> None:
    lines = list(dict.fromkeys(" ".join(words) for words in entries))
    stage = Blocklist(BlocklistConfig.model_validate({"words": listed(tmp_path, "words.txt", *lines)}))
    expressions = [re.compile(rf"(?<!\w){line.lower()}(?!\w)".replace(" ", r"\W+")) for line in lines]
    wanted = []
    for text in texts:
        places = [[at for at in range(len(text)) if each.match(text.lower(), at)] for each in expressions]
        total = sum(len(each) for each in places)
        first = next((line for line, each in zip(lines, places, strict=True) if each), None)
        wanted.append(("blocklist.bad_word", total, first) if total else None)
    assert blocked(stage, texts) == wanted


def test_lists_that_cannot_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        Blocklist(BlocklistConfig.model_validate({"words": str(tmp_path / "nowhere.txt")}))
    bad = {"words": [" ", "!?"], "domains": ["fine.example", "https://example.org/"]}
    for key, entries in bad.items():
        stage = Blocklist(BlocklistConfig.model_validate({key: listed(tmp_path, f"{key}.txt", *entries)}))
        with pytest.raises(SourceError, match=rf"{key}.txt, line 2"):
            stage.definition()
    (tmp_path / "latin.txt").write_bytes(b"gar\xe7on\n")
    with pytest.raises(SourceError, match="byte 3 is not UTF-8"):
        Blocklist(BlocklistConfig.model_validate({"words": str(tmp_path / "latin.txt")})).definition()
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(SourceError, match="the list is empty"):
        Blocklist(BlocklistConfig.model_validate({"domains": str(tmp_path / "empty.txt")})).definition()
    with pytest.raises(ValidationError, match="nothing is blocked"):
        BlocklistConfig()
