"""Writes `iso639.py`: the two-letter codes of the languages of ISO 639-3.

Run `python -m curate.models.generate_iso639` with the packages below installed, and commit the result. pycountry holds
the tables of ISO 639-3; langcodes those of CLDR, which say by which member a macrolanguage is represented (Standard
Arabic, arb, is ar). The program needs neither.
"""

from __future__ import annotations

import importlib
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import Any

VERSIONS = {"pycountry": "26.2.16", "langcodes": "3.5.1"}
TARGET = Path(__file__).with_name("iso639.py")


def two_letters() -> dict[str, str]:
    """ISO 639-1 code by ISO 639-3 code."""
    pycountry: Any = importlib.import_module("pycountry")
    cldr: Any = importlib.import_module("langcodes.data_dicts")
    codes = {each.alpha_3: each.alpha_2 for each in pycountry.languages if hasattr(each, "alpha_2")}
    members = cldr.NORMALIZED_MACROLANGUAGES
    return codes | {code: to for code, to in members.items() if len(code) == 3 and len(to) == 2}


def main() -> None:
    for package, wanted in VERSIONS.items():
        if version(package) != wanted:
            raise SystemExit(f"{package} {version(package)} is installed; the tables are those of {wanted}")
    pairs = " ".join(f"{code}={to}" for code, to in sorted(two_letters().items()))
    lines = "\n".join(textwrap.wrap(pairs, 110))
    TARGET.write_text(
        '"""Written by `generate_iso639.py` from '
        f'pycountry {VERSIONS["pycountry"]} and langcodes {VERSIONS["langcodes"]}."""\n\n'
        "from __future__ import annotations\n\n"
        f'_PAIRS = """\n{lines}\n"""\n\n'
        "#: ISO 639-1 code by ISO 639-3 code; also of the language that stands for a macrolanguage in CLDR (arb: ar).\n"
        'TWO_LETTERS = dict(pair.split("=") for pair in _PAIRS.split())\n'
    )


if __name__ == "__main__":
    main()
