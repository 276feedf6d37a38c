"""The page: its tables say what the figures say, it stands alone, and it is the same each time."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from curate.errors import OutputError
from curate.io.manifest import Manifest
from curate.report import compute_stats, render, write_report
from curate.report.numbers import compact, count, share, size

METRICS = """\
curate_run_seconds{} 5.5
curate_tasks{pass="documents-1",state="done before"} 1
curate_tasks{pass="documents-1",state="done"} 3
curate_tasks{pass="documents-1",state="to do"} 0
curate_pass_documents_total{pass="documents-1"} 18
curate_pass_read_bytes_total{pass="documents-1"} 2000
curate_pass_written_bytes_total{pass="documents-1"} 1000
curate_pass_task_seconds_total{pass="documents-1"} 4.000000
curate_stage_documents_total{stage="language"} 18
curate_stage_seconds_total{stage="language"} 0.500000
"""


class Page(HTMLParser):
    """Rows of the page's tables as lists of cells, ids of its charts, and the addresses that it names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.charts: list[str] = []
        self.addresses: list[str] = []
        self._in_cell = False
        self.feed(re.sub(r"<script>.*?</script>", "", html, flags=re.S))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [value for name in ("src", "href") if (value := found.get(name))]
        if found.get("class") == "chart":
            self.charts.append(found["id"] or "")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data.replace("\u00a0", " ").strip("\n")

    def row(self, *start: str) -> list[str]:
        return next(row for row in self.rows if row[: len(start)] == list(start))


@pytest.fixture
def html(out: Path) -> str:
    write_report(str(out))
    return (out / "report" / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def page(html: str) -> Page:
    return Page(html)


def test_tables_have_the_figures(page: Page) -> None:
    assert page.row("books") == ["books", "6", "2", "33.3 %", "4", "120", "80", "480 B", "320 B", "0"]
    assert page.row("all")[:5] == ["all", "18", "5", "27.8 %", "8"]
    assert page.row("fuzzy", "5") == [
        "fuzzy",
        "5",
        "38.5 %",
        "13",
        "fuzzy_dedup",
        "100",
        "",
        "2 (40.0 %)",
        "3 (75.0 %)",
    ]
    assert page.row("fuzzy.duplicate") == ["fuzzy.duplicate", "5", "38.5 %", "", "fuzzy", "", "2", "3"]
    assert page.row("forum", "2", "1") == ["forum", "2", "1", "3"]
    assert page.row("2 to 3", "4") == ["2 to 3", "4", "10"]
    assert page.row("0.925 to 0.95") == ["0.925 to 0.95", "1"]
    assert page.row("fuzzy", "0", "1") == ["fuzzy", "0", "1", "0"]
    assert page.row("de") == ["de", "1", "0", "0"]
    assert page.row("web", "High") == ["web", "High", "1", "50.0 %"]
    assert page.row("web", "50.0 %") == ["web", "50.0 %", "23.1 %", "1.000"]
    assert page.row("web", "invalid_utf8") == ["web", "invalid_utf8", "1"]


def test_rules_are_ranked(page: Page) -> None:
    start = next(place for place, row in enumerate(page.rows) if row[:1] == ["Rule"])
    documents = [int(row[1]) for row in page.rows[start + 1 : start + 9]]
    assert documents == sorted(documents, reverse=True)
    assert sum(documents) == 13


def test_every_chart_has_a_figure_and_every_figure_a_chart(html: str, page: Page) -> None:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', html, re.S)
    assert found is not None
    figures = json.loads(found[1])
    assert sorted(figures) == sorted(page.charts)
    # Waterfalls; three of each deduplication and an S-curve; languages, quality, mix; one a rule that has values.
    assert len(figures) == 2 + 2 * 3 + 1 + 3 + 4


def test_the_waterfall_goes_down_to_what_is_kept(html: str) -> None:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', html, re.S)
    assert found is not None
    bars = json.loads(found[1])["waterfall-documents"]["data"][:3]
    ends = [[base + x for base, x in zip(bar["base"], bar["x"], strict=True)] for bar in bars]
    assert [sum(bar["x"][0] for bar in bars), sum(bar["x"][-1] for bar in bars)] == [18, 5]
    # Each drop begins, from the right, where the one before it ended.
    assert [max(stage) for stage in zip(*ends, strict=True)] == [18, 18, 17, 16, 14, 13, 8, 6, 5]


def test_the_page_stands_alone(html: str, page: Page) -> None:
    assert [address for address in page.addresses if not address.startswith("#")] == ["data:,"]
    assert "default-src 'none'" in html
    assert len(html.encode()) < 5_000_000
    packed = re.search(r'<script type="application/gzip" id="plotly">(.*?)</script>', html, re.S)
    assert packed is not None
    assert gzip.decompress(base64.b64decode(packed[1])).count(b"plotly.js v") == 1


def test_links_of_the_page_lead_somewhere(html: str, page: Page) -> None:
    inside = [address[1:] for address in page.addresses if address.startswith("#")]
    assert len(inside) > 5
    assert [name for name in inside if f'id="{name}"' not in html] == []


def test_duplicates_stand_beside_their_witnesses(html: str) -> None:
    """books 0:1 and web 0:0 differ in one word."""
    words = re.sub(r"\s+", " ", html)
    assert "the quick <del>red</del> fox" in words
    assert "the quick <ins>brown</ins> fox" in words
    assert "Similarity 0.92 to 0.94: 1 pair<" in words


def test_texts_that_are_gone_are_said_to_be(out: Path) -> None:
    (out.parent / "in" / "web-a.parquet").unlink()
    write_report(str(out))
    html = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert "the quick <del>red</del> fox" not in re.sub(r"\s+", " ", html)
    assert "web-a.parquet" in html


def test_times_of_the_last_run_are_on_the_page_alone(out: Path, html: str) -> None:
    before = (out / "report" / "stats.json").read_bytes()
    (out / "run").mkdir()
    (out / "run" / "metrics.prom").write_text(METRICS)
    write_report(str(out))
    page = Page((out / "report" / "index.html").read_text(encoding="utf-8"))
    row = ["documents-1", "3", "1", "4.0", "18", "4", "2.00 kB", "500 B", "1.00 kB"]
    assert page.row("documents-1") == row
    assert page.row("language", "18", "0.50") == ["language", "18", "0.50", "36"]
    assert (out / "report" / "stats.json").read_bytes() == before


def test_names_are_escaped(out: Path) -> None:
    manifest = Manifest.load(str(out))
    stats = compute_stats(str(out)) | {"name": "</script><b>x"}
    definition = {"keep": "</pre><script>alert(1)</script>"}
    stage = manifest.stages[0].model_copy(update={"definition": definition})
    html = render(stats, manifest.model_copy(update={"stages": (stage,)}))
    assert "</script><b>x" not in html
    assert "<script>alert" not in html


def test_an_empty_run_has_a_page(out: Path) -> None:
    stats = compute_stats(str(out))
    nothing = {name: dict.fromkeys(entry, 0) for name, entry in stats["sources"].items()}
    empty = stats | {
        "sources": nothing,
        "totals": dict.fromkeys(stats["totals"], 0),
        "stages": [],
        "rules": [],
        "dedup": [],
    }
    empty |= {"languages": {}, "quality": [], "quarantine": {}}
    html = render(empty, Manifest.load(str(out)))
    assert "Nothing was dropped." in html
    assert "Everything could be read." in html


def test_the_report_is_the_same_each_time(out: Path, html: str) -> None:
    stats = (out / "report" / "stats.json").read_bytes()
    write_report(str(out))
    assert (out / "report" / "index.html").read_text(encoding="utf-8") == html
    assert (out / "report" / "stats.json").read_bytes() == stats
    assert json.loads(stats) == compute_stats(str(out))


def test_lost_documents_are_reported_after_the_page_is_written(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = compute_stats(str(out))
    stats["sources"]["web"]["kept"] = 1
    monkeypatch.setattr("curate.report.compute_stats", lambda out: stats)
    with pytest.raises(OutputError, match="source web"):
        write_report(str(out))
    assert (out / "report" / "index.html").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9999, "9,999"),
        (10_000, "10.0 k"),
        (999_600, "1.00 M"),
        (1_234_000_000, "1.23 B"),
        (2e12, "2.00 T"),
    ],
)
def test_compact(value: float, text: str) -> None:
    assert compact(value).replace("\u00a0", " ") == text


def test_other_numbers() -> None:
    assert count(1234567) == "1,234,567"
    assert [size(n).replace("\u00a0", " ") for n in (999, 1500, 3_490_000_000)] == [
        "999 B",
        "1.50 kB",
        "3.49 GB",
    ]
    assert [share(x).replace("\u00a0", " ") for x in (0, 1e-6, 0.1234, 1)] == [
        "0.0 %",
        "< 0.1 %",
        "12.3 %",
        "100.0 %",
    ]
