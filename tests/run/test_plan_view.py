"""What `curate plan` says: sources, errors of the sample, the curve, warnings; and costs at a size."""

from __future__ import annotations

import io
import re
import statistics
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from curate import scale, scale_page
from curate.dedup.bands import candidate_probability
from curate.estimate import SAMPLE_BATCHES, estimate, ratio_error
from curate.plan import Plan, plan
from curate.plan_view import chart, describe, describe_costs
from curate.recipe import load_recipe

DOCS = Path(__file__).parents[2]
STAGES = """
  - where: {sources: [a], keep: "grade > 99"}
  - where: {sources: [b], keep: "grade >= 1", name: halves}
  - exact_dedup: {}
  - fuzzy_dedup: {preset: zyda2, scope: across, sources: [b]}
"""


def planned(folder: Path, stages: str = STAGES, mix: str = "") -> Plan:
    """Two sources, one of five files; every other document of b has grade 0."""
    rng = np.random.default_rng(5)
    for name, files in (("a", 1), ("b", 5)):
        (folder / name).mkdir(exist_ok=True)
        for number in range(files):
            words = [" ".join(f"{word:x}" for word in rng.integers(0, 1 << 30, 40)) for _ in range(600)]
            table = pa.table({"text": words, "grade": [row % 2 for row in range(600)]})
            pq.write_table(table, folder / name / f"{number}.parquet")
    (folder / "r.yaml").write_text(
        f"name: r\nsources:\n  - {{name: a, path: {folder}/a/*.parquet}}\n"
        f"  - {{name: b, path: {folder}/b/*.parquet}}\nstages:{stages}{mix}"
    )
    return plan(load_recipe(folder / "r.yaml"))


def printed(renderable: object, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().replace("\u00a0", " ")


def test_the_plan_shows_sources_the_sample_and_warnings_in_80_columns(tmp_path: Path) -> None:
    made = planned(tmp_path)
    text = printed(describe(made, estimate(made), 4))
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text
    assert re.search(r"── a: 1 file \(parquet\), [\d.]+ kB", text)
    assert re.search(r"── b: 5 files \(parquet\), [\d.]+ MB", text)
    assert "600 documents, about" in text
    assert "of 2,000 sampled, document stages keep 50.0 % ± 0.0 %" in text
    assert "of 600 sampled, document stages keep 0.0 % ± 0.0 %" in text
    assert "with 4 workers" in text
    flat = re.sub(r"\s+", " ", text)
    assert "warning: where: matches none of the 600 documents of a that the sample shows it" in flat
    assert "warning: fuzzy_dedup: scope across compares sources, and it has one (b)" in flat
    assert text.count("warning: ") == 2


def test_sources_that_share_files_are_warned_of(tmp_path: Path) -> None:
    planned(tmp_path)
    text = (tmp_path / "r.yaml").read_text().replace("/a/*", "/b/3*").replace("sources: [b]}", "}")
    (tmp_path / "r.yaml").write_text(text)
    made = plan(load_recipe(tmp_path / "r.yaml"))
    assert made.warnings() == (f"sources a and b both read {tmp_path}/b/3.parquet (1 such files)",)


def test_the_sample_spreads_over_files_and_extrapolates(tmp_path: Path) -> None:
    found = estimate(planned(tmp_path)).sources["b"]
    assert (found.documents, found.documents_error) == (3000, 0.0)
    assert found.sampled == SAMPLE_BATCHES * 250
    assert found.stages is not None
    assert (found.stages["halves"].shown, found.stages["halves"].dropped) == (2000, 1000)
    assert found.stages["exact_dedup"].shown == 1000
    assert found.seconds["documents-1"] > 0


def test_the_error_is_that_of_the_ratio_between_batches() -> None:
    rng = np.random.default_rng(1)
    estimates, errors = [], []
    for _ in range(400):
        sizes = rng.integers(50, 150, 8).astype(float)
        amounts = [float(size * 0.3 + rng.normal(0, 4)) for size in sizes]
        error = ratio_error(amounts, list(sizes))
        assert error is not None
        estimates.append(sum(amounts) / sizes.sum())
        errors.append(error)
    assert statistics.mean(errors) == pytest.approx(statistics.stdev(estimates), rel=0.15)
    assert ratio_error([1.0], [2.0]) is None


def test_the_chart_draws_the_curve() -> None:
    lines = chart(8, 16, 0.8)
    assert all(len(line) <= 80 for line in lines)
    assert [line[:6] for line in lines[:8]] == [" 1.0 │", *["     │"] * 6, " 0.0 │"]
    # The dots of a column stand at the level of the curve, an eighth of the height or less away.
    for column in range(60):
        rows = [
            row for row in range(8) if column < len(lines[row]) - 6 and lines[row][6 + column] not in " ┊"
        ]
        middle = float(candidate_probability(np.array([(column + 0.5) / 60]), 8, 16)[0])
        assert min(abs((7.5 - row) / 8 - middle) for row in rows) <= 1 / 8
    assert {line.index("┊") for line in lines if "┊" in line} == {6 + 48}


def test_costs_at_a_size(tmp_path: Path) -> None:
    made = planned(tmp_path, mix="mix: {weights: {a: 1, b: 1}}\n")
    found = estimate(made)
    load = scale.workload(made, found, 12e9, 50e12)
    assert (load.documents, load.text_bytes) == (pytest.approx(12e9), pytest.approx(50e12))
    costs = scale.costs(load, 64)
    names = [each.name for each in costs.passes]
    assert names == [
        *("documents-1", "exact_dedup", "fuzzy_dedup: join", "fuzzy_dedup: clusters", "fuzzy_dedup: resolve"),
        *("tally", "ledger", "write"),
    ]
    by_name = dict(zip(names, costs.passes, strict=True))
    # By hand: b has 3,000 of 3,600 documents, and half of it reaches fuzzy_dedup; three in ten have a candidate.
    reached = 12e9 * 3000 / 3600 / 2
    assert by_name["fuzzy_dedup: clusters"].memory == pytest.approx(reached * 0.3 * 110)
    assert by_name["fuzzy_dedup: clusters"].tasks == 1
    assert by_name["fuzzy_dedup: join"].tasks == 8 * 1024
    assert costs.exchange == pytest.approx(reached * (12 * 8 + 128 + 4) + reached * 20)
    text = printed(describe_costs(costs))
    assert all(len(line) <= 80 for line in text.splitlines())
    assert (
        re.sub(r"\s+", " ", text).count("bottleneck: fuzzy_dedup: clusters is one task and needs 165 GB") == 1
    )


def test_one_size_follows_from_the_other(tmp_path: Path) -> None:
    made = planned(tmp_path)
    found = estimate(made)
    mean = sum(each.text_bytes for each in found.sources.values()) / 3600
    assert scale.workload(made, found, documents=1e9).text_bytes == pytest.approx(1e9 * mean)
    assert scale.workload(made, found, text_bytes=1e12).documents == pytest.approx(1e12 / mean)


def test_hours_fall_with_workers_as_far_as_there_are_tasks() -> None:
    load = scale_page.zyda2(1e-8)
    few, many = scale.costs(load, 10), scale.costs(load, 1000)
    assert few.passes[0].hours(10) == pytest.approx(100 * many.passes[0].hours(1000))
    assert few.passes[3].hours(10) == many.passes[3].hours(1000)
    assert few.passes[0].seconds == pytest.approx(50e12 * 1e-8)


def test_the_page_has_the_codes_tables() -> None:
    assert (DOCS / "docs/scale.md").read_text().endswith(f"## The numbers\n\n{scale_page.tables()}")


def test_slopes_are_those_of_the_measurements() -> None:
    results = DOCS / "benchmarks/results"
    section = (results / "dedup_scale.md").read_text().partition("### 20,000,000 documents, skew: none")[2]
    seconds = dict(re.findall(r"\| fuzzy_dedup: (\w+) \| [\d.]+ \| ([\d.]+) \|", section.partition("###")[0]))
    edges = float(re.search(r"([\d,]+) edges", section).group(1).replace(",", ""))  # type: ignore[union-attr]
    candidates = 0.3 * 20e6
    assert "three in ten have a candidate" in (results / "dedup_scale.md").read_text()
    speed = (results / "dedup_speed.md").read_text()
    ledger, write = (float(re.search(rf"; {name} ([\d.]+);", speed).group(1)) for name in ("ledger", "write"))  # type: ignore[union-attr]
    expected = {
        "candidates": 0.3,
        "key": float(seconds["join"]) / (20e6 * 14),
        "edge": edges / candidates,
        "member": float(seconds["clusters"]) / candidates,
        "resolve": float(seconds["resolve"]) / candidates,
        "write": (write - ledger) / 400e6,
        "reread": 1 / float(re.search(r"Snappy\) by pyarrow \| (\d+) MB/s", speed).group(1)) / 1e6,  # type: ignore[union-attr]
    }
    memory = (DOCS / "docs/memory.md").read_text()
    expected["member_bytes"] = float(re.search(r"clusters \| (\d+) bytes a document", memory).group(1))  # type: ignore[union-attr]
    expected["interpreter"] = float(re.search(r"about (\d+) MB a process", memory).group(1)) * 1e6  # type: ignore[union-attr]
    assert "0.1 ms each" in (DOCS / "docs/architecture.md").read_text()
    assert scale.SLOPES["open"].value == 1e-4
    assert {name: scale.SLOPES[name].value for name in expected} == pytest.approx(expected)
