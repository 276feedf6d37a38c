"""Texts in which the rules of Dolma, DCLM and Gopher have something to find."""

from hypothesis import strategies as st

from tests.heuristics.strategies import interleaved

PLAIN = ["the", "of", "The", "AND", "a", "b", "ab", "reading", "considerable", "counterrevolutionary"]
MARKS = [
    *(
        "#",
        "a#",
        "...",
        "....",
        ". . .",
        ". . . .",
        ".",
        "\u2026",
        "x\u2026",
        "*",
        "-",
        "- a",
        "\u2022",
        "\u25cf",
    ),
    *(
        "don't",
        "a.b",
        "a:b",
        "1.5",
        "1,000;2",
        "a.1",
        "1:2",
        "_a",
        "a_b",
        "__",
        "1_",
        "'a'",
        "a..b",
        "\0",
        "a\0b",
    ),
]
BEYOND_ASCII = [
    *(
        "\u00e9t\u00e9",
        "e\u0301",
        "l\u2019\u00e9t\u00e9",
        "a\u00b2",
        "\u00b2\u00bd",
        "\u0664\u066b\u0665",
        "\u24d0",
        "\u2460",
    ),
    *(
        "\u65e5\u672c\u8a9e",
        "\u3072\u3089",
        "\u30a2\u30a4",
        "\u30a2_a",
        "a\uff9e",
        "\uff9e",
        "\u0e44\u0e17\u0e22",
        "\ud55c\uae00",
    ),
    *(
        '\u05d0"\u05d1',
        "\u05d0'",
        "a\u00b7b",
        "a\u202fb",
        "a\u00a0b",
        "a\u2060b",
        "\u00ad",
        "a\u00ad.b",
        "\u0301",
        "\u200d",
    ),
    *(
        "\U0001f468\u200d\U0001f469",
        "\u200d\u2139",
        "a\u200d\u24c2b",
        "\u2139",
        "\U0001f1e6\U0001f1e7",
        "\U0001d400",
    ),
]
#: Any character that this Python knows; ours are tables of later versions of Unicode.
KNOWN = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=120)

gopher_texts = st.builds(
    lambda run, text: run + text,
    st.sampled_from(
        ["", "", "", *("z" * n for n in (57, 60, 61, 62, 63, 64, 127)), "z " * 31, "_" * 63, "1." * 32]
    ),
    st.one_of(
        interleaved(st.sampled_from(PLAIN[:3])),
        interleaved(st.sampled_from(PLAIN + MARKS)),
        interleaved(st.sampled_from(PLAIN + MARKS + BEYOND_ASCII)),
        st.lists(st.sampled_from(MARKS + BEYOND_ASCII), max_size=30).map("".join),
        st.text("a1._,:;'\" \n\0#-*\u00e9", max_size=150),
        KNOWN,
    ),
)
