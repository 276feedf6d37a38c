"""What the entries of `stages` are called."""

from __future__ import annotations

from typing import Any


def plain_entries(stages: Any) -> Any:
    """`stages` with each entry as {kind: {keys}}: bare and null ones get no keys, malformed ones stay."""
    if not isinstance(stages, list):
        return stages
    return [_plain_entry(entry) for entry in stages]


def _plain_entry(entry: Any) -> Any:
    if isinstance(entry, str):
        return {entry: {}}
    if isinstance(entry, dict) and len(entry) == 1 and next(iter(entry.values())) is None:
        return {next(iter(entry)): {}}
    return entry


def stage_names(entries: list[Any]) -> dict[int, tuple[str, str]]:
    """Name and kind of each well-formed entry, by its place.

    The name is the one given, or else the kind; a kind's second unnamed stage is `kind-2`, and so on.
    """
    well_formed = {
        place: next(iter(entry.items()))
        for place, entry in enumerate(entries)
        if isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), dict)
    }
    given = {
        place: config["name"]
        for place, (_, config) in well_formed.items()
        if isinstance(config.get("name"), str)
    }
    taken = set(given.values())
    names = {}
    for place, (kind, _) in well_formed.items():
        name, count = given.get(place), 1
        if name is None:
            name = kind
            while name in taken:
                count += 1
                name = f"{kind}-{count}"
            taken.add(name)
        names[place] = (name, kind)
    return names
