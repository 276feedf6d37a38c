"""What a finished run did: figures, a page, one document's journey, and verification.

Reads only the output folder (manifest, ledger, quarantine, shards), and texts where the source files still
are.
"""

from __future__ import annotations

from curate.io.files import atomic_write, write_json
from curate.io.manifest import Manifest
from curate.report.evidence import evidence
from curate.report.explain import Explanation, explain
from curate.report.markdown import markdown
from curate.report.page import render
from curate.report.stats import Stats, check_conservation, compute_stats
from curate.report.timing import read_timing
from curate.report.verify import verify

__all__ = [
    "Explanation",
    "Stats",
    "check_conservation",
    "compute_stats",
    "explain",
    "markdown",
    "read_timing",
    "render",
    "verify",
    "write_report",
]


def write_report(out: str) -> Stats:
    """Writes OUT/report/stats.json and OUT/report/index.html, each in one step, and returns the figures.

    Raises OutputError where the output is not that of a finished run, or documents are not conserved (the
    files are written all the same: they show where).

    The page also shows texts, as far as they can be read from the source files in ten seconds, and the times of the
    last run; the figures hold neither.
    """
    stats = compute_stats(out)
    folder = f"{str(out).rstrip('/')}/report"
    write_json(f"{folder}/stats.json", stats)
    with atomic_write(f"{folder}/index.html") as file:
        manifest = Manifest.load(out)
        file.write(render(stats, manifest, evidence(stats, manifest), read_timing(out)).encode())
    check_conservation(stats)
    return stats
