"""Documents that a stage dropped, picked at random: to see by eye whether it was right."""

from __future__ import annotations

from curate.errors import OutputError, Problem
from curate.io.ledger import READ, Ledger
from curate.io.manifest import Manifest


def sample_drops(out: str, stage: str | None, number: int, seed: int = 0) -> list[int]:
    """Docs (packed positions) of up to `number` documents that the stage dropped, or any stage if it is None.

    The same run, stage and seed give the same documents in the same order; a larger number gives more of them.
    Raises OutputError where the run has no such stage.
    """
    names = [READ, *(entry.name for entry in Manifest.load(out).stages)]
    if stage is not None and stage not in names:
        raise OutputError(Problem(f"--stage {stage}", "no stage of this run", f"one of {', '.join(names)}"))
    with Ledger(out).connect() as connection:
        found = connection.execute(
            """
            SELECT doc FROM ledger WHERE dropped_by IS NOT NULL AND ($1 IS NULL OR dropped_by = $1)
            ORDER BY md5(doc::VARCHAR || ' ' || $2::VARCHAR), doc LIMIT $3
            """,
            [stage, seed, number],
        )
        return [int(row[0]) for row in found.fetchall()]
