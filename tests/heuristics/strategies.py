"""Texts in which every rule has something to find."""

from hypothesis import strategies as st

PLAIN = ["the", "of", "and", "that", "a", "b", "ab", "reading", "considerable", "counterrevolutionary"]
ODD = [
    *("#", "##", "#a#", "#a#b", "...", "....", "\u2026", "[\u2026]", "[...]", "[....", "(...)", "-\u00bb"),
    *(
        "\u2022",
        "\u2022a",
        "\u29bf",
        "-",
        "*",
        "1,234.5",
        "\u0664",
        "e\u0301",
        "\u00e9",
        "\u65e5\u672c\u8a9e",
        "\u24d0",
        "\u0345",
    ),
    *(
        "{x}",
        "[x]",
        "\u27e8x\u27e9",
        "\u27ea",
        "x.",
        'x"',
        "x'",
        "x\u2019",
        "x?",
        "x!",
        "\U0001d400",
        "\U0001f600",
    ),
    *("read more", "Read More..", "read\u00a0more", "THE", "\u0130", "\u00df", "K", "\u212a"),
    *("http://a.b/c?d=%20e", "https://", "https://x", "http://http://y", "shttp://z%2", "http:/w", "ttp://v"),
    *("uses cookies", "Use Cookies", "use of coo\u212aies", "cookie  policy", "Cookie Policy", "lorem ipsum"),
    *(
        "terms of use",
        "Terms of Us",
        "privacy & cookies policy",
        "Privacy Overview",
        "privacy polic",
        "lorem",
    ),
]
SPACES = [
    " ",
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\n\n\n",
    "\t",
    "\r\n",
    "\x85",
    "\u2003",
    "\u3000",
    "\x1c",
    "\b",
    "",
]


def interleaved(words):
    pieces = st.tuples(words, st.sampled_from(SPACES)).map("".join)
    return st.lists(pieces, max_size=60).map("".join)


#: Few words, so that n-grams, lines and paragraphs repeat; many kinds of words; any text at all. The run in
#: front moves what follows over the edges of 64-byte blocks.
texts = st.builds(
    lambda run, text: "z" * run + text,
    st.sampled_from([0, 0, 0, 50, 57, 60, 61, 62, 63, 64, 127]),
    st.one_of(
        interleaved(st.sampled_from(PLAIN[:3])),
        interleaved(st.sampled_from(PLAIN)),
        interleaved(st.sampled_from(PLAIN + ODD)),
        st.text(max_size=200),
    ),
)

#: What spaCy's rules take apart in their own ways.
SPACY_PIECES = [
    "the",
    "don't",
    "U.S.",
    "a@b.co",
    "http://a.bc/",
    "foo.Bar",
    "10km",
    "5US$",
    "\u00b0C.",
    "--",
    "\u2014",
]
SPACY_PIECES += [
    "...",
    "\u2026",
    "'",
    "\u2019",
    "'s",
    "(",
    ")",
    ":",
    "-",
    "/",
    "[",
    "]",
    "=",
    ".",
    ",",
    "8.8.8.8",
    "D",
]
SPACY_PIECES += [
    "\u65e5\u672c",
    "\u3002",
    "\u00e9",
    "1",
    "+",
    "@",
    "#",
    "_",
    "o",
    "\U0001f600",
    "Ph.D.",
    "Mr.",
    "He",
]
spacy_texts = st.lists(
    st.sampled_from([*SPACY_PIECES, "", " ", " ", "  ", "\n", "\u00a0"]) | st.text(max_size=3)
).map("".join)
