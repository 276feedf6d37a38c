"""Imports run down the map of docs/architecture.md, and the repository holds no module that outgrew its room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "curate"

#: Rooms from the top; those on one line may import each other.
ROOMS = [
    {
        *("cli", "cli_errors", "cli_help", "cli_models", "cli_options", "cli_outputs"),
        *("display", "display_models", "display_run"),
    },
    {"estimate", "plan_view", "scale", "scale_page"},
    {"run"},
    {"beside_gpu"},
    {"plan"},
    {"recipe"},
    {"report"},
    {"integrations"},
    {"stages"},
    {"dedup"},
    {"models"},
    {"engines"},
    {"synth"},
    {"io"},
    {"kernels"},
    {"memory"},
    {"errors", "progress"},
]
FLOOR = {name: floor for floor, names in enumerate(ROOMS) for name in names}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in FLOOR)


def room_of(module: str) -> str:
    return module.split(".")[1]


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("curate."):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("curate.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    up = {module for module in imported(path) if FLOOR[room_of(module)] < FLOOR[own]}
    assert not up


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_readable_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_the_map_names_every_room() -> None:
    text = (PACKAGE.parent / "docs/architecture.md").read_text()
    assert all(f"`{name}/`" in text or f"`{name}.py`" in text for name in FLOOR)
