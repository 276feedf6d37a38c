"""Small texts on, just under and just over the bounds of rules that few real documents touch."""

SENTENCES = (
    "The committee will meet on Monday to talk about plans for that old bridge.",
    "Nobody knew who had painted those strange murals along our harbour wall.",
    "She walked home with her brother and told him every story she remembered.",
    "Farmers near Lisbon have grown olives on these dry hills since Roman times.",
    "A good map shows rivers, roads, borders and also where people actually live.",
    "When winter came early, we stored apples, nuts, honey and plenty of flour.",
    "His second novel sold poorly, but critics praised its patient, quiet style.",
    "Engineers tested a lighter engine last spring without reporting any failure.",
)
PROSE = " ".join(SENTENCES)
WORDS = PROSE.split()
PAGE = "\n".join(SENTENCES)
LONG = "\n".join(f"{sentence} Number {place}." for place, sentence in enumerate(SENTENCES * 3))


def marked(mark: str, count: int) -> str:
    """The words, with the mark put in as a word `count` times."""
    return " ".join(word if place >= count else f"{word} {mark}" for place, word in enumerate(WORDS))


def lines(start: str, end: str, count: int) -> str:
    """Eight lines, `count` of them with something before or behind them."""
    return "\n".join(
        f"{start}{sentence}{end}" if place < count else sentence for place, sentence in enumerate(SENTENCES)
    )


def copied(size: int, copies: int) -> str:
    """The words, with a run of `size` of them put in again and again, always between others."""
    run = WORDS[60 : 60 + size]
    step = len(WORDS) // copies
    out: list[str] = []
    for place, word in enumerate(WORDS):
        out += [word, *run] if place % step == 0 and place < copies * step else [word]
    return " ".join(out)


def texts() -> dict[str, str]:
    found = {
        "prose": PROSE,
        "page": PAGE,
        "long": LONG,
        "empty": "",
        "blank": " \n\t\n ",
        "line feeds": "\n\n\n",
    }
    for mark in ("#", "##", "#tag", "...", "\u2026", ". . .", "....", "-", "*", "{", "(", "[x]", "123", "!!"):
        for count in (5, 10, 11, 20, 45):
            found[f"{mark} {count} times"] = marked(mark, count)
    for start in ("- ", "* ", "\u2022 ", "\u2022", "\u25cf ", "\u2023 ", " - ", "-"):
        for count in (7, 8):
            found[f"{start!r} before {count}"] = lines(start, "", count)
    for end in (
        "...",
        "\u2026",
        " . . .",
        "... ",
        "[...]",
        "\u2026 ",
        " Read more",
        "-\u00bb",
        "!..",
        "'",
        "\u3002",
    ):
        for count in (2, 3):
            found[f"{end!r} behind {count}"] = lines("", end, count)
    for size in (2, 3, 4, 5, 6, 7, 8, 9, 10):
        for copies in (2, 3, 4, 6, 9):
            found[f"{copies} copies of {size} words"] = copied(size, copies)
    for count in (62, 66, 70):
        found[f"ten words again after {count}"] = " ".join([*WORDS[:count], *WORDS[40:50]])
    for blank in ("\n", "\n\n", "\n\n\n", " \n", "\r\n"):
        for extra in (1, 2, 3, 4):
            found[f"{extra} sentences again, by {blank!r}"] = blank.join([*SENTENCES, *SENTENCES[:extra]])
            found[f"one sentence {extra} times more, by {blank!r}"] = blank.join(
                [*SENTENCES, *SENTENCES[:1] * extra]
            )
    for count in (1, 2, 8, 17, 40):
        found[f"{count} short lines"] = "\n".join([*SENTENCES, *(f"item {place}" for place in range(count))])
        found[f"{count} short lines in a long page"] = LONG + "\n" + "\n".join(map(str, range(count)))
    for count in (49, 50, 51):
        found[f"{count} words"] = " ".join(WORDS[:count])
        found[f"{count} words and marks"] = " , ".join(WORDS[:count])
    for size in (1000, 1001):
        found[f"a word of {size}"] = f"{PROSE} {'x' * size}"
        found[f"a word of {size} in a line"] = f"{PAGE}\n{PROSE} {'x' * size}."
    for word in ("a", "on", "it", "immeasurably", "counterrevolutionary"):
        found[f"much of {word}"] = (
            " ".join(f"{word}{place % 7 * 'y'}" for place in range(90)) + " the of " + PROSE
        )
    for word in (
        "privacy policy",
        "Terms of Use",
        "uses cookies",
        "lorem ipsum",
        "javascript",
        "Javascript:",
    ):
        found[f"{word} at the end"] = f"{PAGE}\nThis page has something on {word} here."
        found[f"{word} in paragraphs"] = "\n\n".join(f"{s} {word}." for s in SENTENCES[:4]) + f"\n\n{PROSE}"
    for count in (1, 3, 5, 6, 9):
        found[f"{count} line feeds between sentences"] = ("\n" * count).join(SENTENCES)
    found["words of two letters"] = (
        " ".join(f"{a}{b}" for a in "abcdefgh" for b in "qrstuvwxyz") + " the of it"
    )
    for words in ("", "the", "the the", "the of", "The Of"):
        plain = [
            word
            for word in WORDS
            if word.lower() not in ("the", "be", "to", "of", "and", "that", "have", "with")
        ]
        found[f"no common words but {words}"] = " ".join([*plain, words])
    for count in (2, 3, 4, 5):
        found[f"{count} sentences"] = " ".join(SENTENCES[:count])
        found[f"{count} lines"] = "\n".join(SENTENCES[:count])
    return found | pages()


def pages() -> dict[str, str]:
    """Lines that C4's and RefinedWeb's rules take out of a page."""
    extra = {
        "a counter": "1,234 Likes",
        "a counter with marks": "-- 12.5k VIEWS! --",
        "a counter in prose": "12 likes and more",
        "digits": "20261121",
        "other digits": "\u0661\u0662\u00b2",
        "a fraction": "\u00bd",
        "a shout": "BUY THIS NOW or else",
        "half a shout": "ABcd",
        "half a shout of two words": "ABC DEF ghi jkl",
        "one word": "Menu",
        "a cart": "3 items in cart",
        "a cart only": "items in cart",
        "a long cart": "there are at this very moment still more than 3 items in cart",
        "read more": "This goes on for some time. Read more...",
        "read more and letters": "This goes on read morexyz",
        "read more alone": "read more...",
        "sign in": "Sign-in to go on from here.",
        "sign in alone": " Sign-in",
        "dotless": "s\u0131gn-in to go on",
        "a citation": "This was known before.[12] It is[edit] said [citation needed] so.",
        "a citation that ends": "This was known to all before.[12]",
        "few words but for citations": "Known to all [1] [2] [3] .",
        "a quote": 'She said: "It is as old as that."',
        "an apostrophe": "It is called 'the oldest one of all'",
        "a colon": "These are the ones we know:",
        "dots": "It goes on and on and on...",
        "an abbreviation": "Mr. A. B. Smith of the U.S. came at 5 p.m. to us.",
        "white space": "\u00a0 \u3000This is a line with a space around it. \u00a0",
        "a bracket": "This line has a { in it.",
        "a closing bracket": "This line has a } in it.",
        "filler, then a bracket": "Here is Lorem Ipsum for you all.\nHere is a { for you all.",
        "a bracket, then filler": "Here is a { for you all.\nHere is Lorem Ipsum for you all.",
        "script and bracket": "Here is javascript { for you all.",
        "Kelvin": "This site uses coo\u212aies for you all.",
    }
    found = {f"page with {name}": f"{LONG}\n{line}" for name, line in extra.items()}
    found |= {f"page that starts with {name}": f"{line}\n{LONG}" for name, line in extra.items()}
    return found | {f"{name} alone": line for name, line in extra.items()}


TEXTS = texts()
