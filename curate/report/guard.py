"""The page about a guard that stopped a run: OUT/report/guard.html beside guard.json, which it shows."""

from __future__ import annotations

from importlib import resources

import jinja2

from curate.io.files import atomic_write, exists, join, read_json, remove
from curate.report import numbers

JSON, PAGE = "report/guard.json", "report/guard.html"
_FOLDER = resources.files("curate.report")


def write_guard_page(out: str) -> None:
    """Write the page, if the stage that was stopped left evidence."""
    if not exists(join(out, JSON)):
        return
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"count": numbers.count, "share": numbers.share}
    template = environment.from_string((_FOLDER / "guard.html.j2").read_text(encoding="utf-8"))
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    with atomic_write(join(out, PAGE)) as file:
        file.write(template.render(evidence=read_json(join(out, JSON)), style=style).encode())


def remove_guard_page(out: str) -> None:
    """Remove what an earlier attempt left: the run went through."""
    remove(join(out, JSON))
    remove(join(out, PAGE))
