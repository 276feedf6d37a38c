"""What `curate models` shows."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.models.card import Card, known_cards
from curate.models.evaluation import Evaluation

_BAR = 30


def listing() -> RenderableType:
    """The models with names."""
    table = Table("model", "kind", "score or labels", "published threshold", "checksum", "licence", box=None)
    for name, card in known_cards().items():
        threshold = f"{card.threshold.score:g}" if card.threshold else ""
        table.add_row(
            name, card.kind, _labels(card), threshold, "pinned" if card.pinned else "open", card.licence
        )
    notes = [Text(f"{name}: {card.summary} {card.source}") for name, card in known_cards().items()]
    return Group(table, Text(), *notes)


def _labels(card: Card) -> str:
    if card.range is not None:
        return f"{card.range[0]} to {card.range[1]}"
    if card.score is not None:
        return f"P({card.score})"
    return ", ".join(card.labels) if card.labels else ""


def trained(figures: dict[str, Any]) -> RenderableType:
    """Figures by what they are of."""
    table = Table("of", box=None)
    columns = list(dict.fromkeys(key for row in figures.values() for key in row))
    for column in columns:
        table.add_column(column, justify="right")
    for name, row in figures.items():
        table.add_row(name, *(f"{row[column]:.4g}" if column in row else "" for column in columns))
    return table


def evaluation(found: Evaluation) -> RenderableType:
    """The figures, and the reliability as bars."""
    rows = Table("figure", box=None, show_header=False)
    rows.add_column("value", justify="right")
    rows.add_row("documents", f"{found.documents:,} ({found.positive:,} good)")
    rows.add_row("AUC", f"{found.auc:.4f}")
    rows.add_row("threshold", f"{found.threshold:.6g}")
    rows.add_row("precision, recall", f"{found.precision:.4f}, {found.recall:.4f}")
    rows.add_row("calibration error", f"{found.calibration_error:.4f}")
    bars = Table("score", "documents", "mean score", "good", "", box=None)
    for each in found.reliability:
        bar = "█" * round(each.share * _BAR)
        bars.add_row(
            f"{each.low:.2f} to {each.high:.2f}",
            f"{each.documents:,}",
            f"{each.mean_score:.3f}",
            f"{each.share:.1%}",
            bar,
        )
    return Group(rows, Text(), bars)
