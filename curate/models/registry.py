"""Models by name, by path, or on the Hugging Face hub: their cards, their files, and loading each once a process.

A model is called by a name of `known_cards`; by the path of a fastText file (.bin, .ftz), of a folder with a saved
transformer, or of a card (.yaml); as `owner/name` or `owner/name@revision` of the hub: a transformer, or, for a stage
that takes fastText models alone, the repository's `model.bin`; or as `hf://owner/name@revision/file.bin`, a fastText
file of the hub. `#sha256=...` behind any of these is the checksum that the file must have (of a transformer: its
`model.safetensors`).
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from curate.errors import ModelError, Problem
from curate.models.card import HUB_FILE, HUB_ID, Card, Where, bare_card, known_cards, read_card
from curate.models.fasttext import FastText
from curate.models.hub import fetch

#: What fastText models are called in repositories of the hub.
HUB_FASTTEXT_FILE = "model.bin"
_FILES = (".bin", ".ftz", ".yaml", ".yml")
_WEIGHTS = "model.safetensors"
_PIN = "#sha256="


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's files as they lie here. path: the file, or the folder. sha256: of each file that is read."""

    card: Card
    path: Path
    sha256: dict[str, str]

    @property
    def digest(self) -> str:
        """One checksum for all: a single file's own, else that of the list of checksums."""
        if len(self.sha256) == 1:
            return next(iter(self.sha256.values()))
        listed = "".join(f"{self.sha256[name]}  {name}\n" for name in sorted(self.sha256))
        return hashlib.sha256(listed.encode()).hexdigest()


_lock = threading.Lock()
_loaded: dict[Path, tuple[tuple[int, int], FastText]] = {}
_digests: dict[Path, tuple[tuple[int, int], str]] = {}


def card_of(model: str, hub_kind: Literal["transformer", "fasttext"] = "transformer") -> Card:
    """The card of a model, however a recipe calls it. hub_kind: what a repository of the hub without a card is.

    Raises ModelError, with the nearest name, if it is nothing.
    """
    name, _, digest = model.partition(_PIN)
    if digest or name != model:
        return _pinned(card_of(name, hub_kind), digest)
    known = known_cards().get(model)
    if known is not None:
        return known
    file = HUB_FILE.fullmatch(model)
    if file:
        return bare_card(model, "fasttext", Where(**file.groupdict()))
    path = Path(model)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return read_card(path)
    if path.is_file():
        return bare_card(model, "fasttext", Where(path=model))
    if path.is_dir():
        return bare_card(model, "transformer", Where(path=model))
    close = difflib.get_close_matches(model, known_cards(), n=1)
    hub = HUB_ID.fullmatch(model)
    if hub and not close and path.suffix not in _FILES:
        only = HUB_FASTTEXT_FILE if hub_kind == "fasttext" else None
        return bare_card(model, hub_kind, Where(hub=hub["hub"], revision=hub["revision"], file=only))
    fix = (
        f"did you mean {close[0]}?"
        if close
        else "give the path of a fastText file, of a folder with a transformer or of a card; owner/name of the hub; "
        "hf://owner/name/file.bin; or one of these names"
    )
    raise ModelError(
        Problem(f"model {model}", "no such name and no such file", ", ".join(known_cards()), fix)
    )


def _pinned(card: Card, digest: str) -> Card:
    """The card with the checksum that a recipe gives for the model's file."""
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ModelError(
            Problem(f"model {card.name}", f"{_PIN}{digest}", "64 digits of 0-9 and a-f behind =")
        )
    file = card.where.file or (Path(card.where.path or "").name if card.kind == "fasttext" else _WEIGHTS)
    held = card.sha256.get(file)
    if held is not None and held != digest:
        fix = "leave one of them out"
        raise ModelError(Problem(f"model {card.name}", f"{_PIN}{digest}", f"{held}, says its card", fix))
    return card.model_copy(update={"sha256": {**card.sha256, file: digest}})


def files_of(card: Card) -> ModelFiles:
    """The model's files, fetched from the hub if need be, their checksums compared with the card's.

    Raises ModelError where there are none, or one is not the file that the card's checksum was taken of.
    """
    path, told = _located(card)
    if path.is_dir():
        read = sorted(
            file for file in path.iterdir() if file.suffix in (".json", ".safetensors", ".model", ".txt")
        )
        found = {file.name: _sha256(card, file) for file in read}
    else:
        found = {card.where.file or path.name: _sha256(card, path)}
    for name, wanted in card.sha256.items():
        if name not in found:
            raise ModelError(
                Problem(f"model {card.name}", f"{path} has no file {name}", "one: a checksum is of it")
            )
        if wanted is not None and found[name] != wanted:
            raise ModelError(Problem(f"model {card.name}", f"{name} has SHA-256 {found[name]}", wanted, told))
    return ModelFiles(card, path, found)


def resolve(model: str) -> Path:
    """The file or folder of a model, its checksums verified. Raises ModelError like `card_of` and `files_of`."""
    return files_of(card_of(model)).path


def located(model: str) -> str:
    """The same model for a process in another folder: a path of something that is there becomes absolute."""
    name, pin, digest = model.partition(_PIN)
    path = Path(name)
    return f"{path.absolute()}{pin}{digest}" if name not in known_cards() and path.exists() else model


def fasttext(model: str) -> FastText:
    """The fastText model of that name, path or hub repository.

    It is loaded on first use, then shared by all threads of the process.
    A file that has changed since is loaded again. Raises ModelError like `card_of` and `files_of`, or if it is not a
    fastText model.
    """
    card = card_of(model, "fasttext")
    if card.kind != "fasttext":
        raise ModelError(Problem(f"model {model}", f"is of kind {card.kind}", "a fastText model"))
    path = files_of(card).path.resolve()
    with _lock:
        stamp = _stamp(path)
        held = _loaded.get(path)
        if held is None or held[0] != stamp:
            held = _loaded[path] = (stamp, FastText.load(path))
        return held[1]


def unpinned_warning(card: Card) -> str | None:
    """What to say of a model of the hub whose files are not pinned by checksum."""
    if card.where.hub is None or card.pinned:
        return None
    return (
        f"model {card.name}: no checksum is pinned, so what {card.where.hub} holds today decides; the manifest "
        f"records the checksum that was used. `curate models fetch {_fetched_as(card)}` prints it; {_PIN}... behind "
        "the model's name pins it"
    )


def _fetched_as(card: Card) -> str:
    """The model's name for `curate models fetch`, which takes a repository without a card for a transformer."""
    where, bare = card.where, HUB_ID.fullmatch(card.name)
    if where.file is None or not bare or bare["hub"] != where.hub:
        return card.name
    revision = f"@{where.revision}" if where.revision else ""
    return f"hf://{where.hub}{revision}/{where.file}"


def _located(card: Card) -> tuple[Path, str]:
    """Where the model is, and what to do if it is not the one of the card."""
    if card.where.hub is not None:
        return fetch(card), "fetch it again, or correct the checksum, in its card or behind the model's name"
    if card.where.path is not None:
        path = Path(card.where.path)
        if not path.exists():
            raise ModelError(Problem(f"model {card.name}", f"{path} is not there"))
        return (
            path,
            "give the file that the checksum is of, or correct it, in the card or behind the model's name",
        )
    return _carried(card), f"install the package {card.where.package} again"


def _carried(card: Card) -> Path:
    """Where the file of an installed package lies; finding it runs none of the package's code."""
    package, file = card.where.package, card.where.file
    assert package is not None
    assert file is not None
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        fix = f"pip install {package.replace('_', '-')}"
        raise ModelError(Problem(f"model {card.name}", f"the package {package} is not installed", fix=fix))
    # An editable install has two folders, of which one holds what was compiled.
    places = [Path(folder) / file for folder in spec.submodule_search_locations]
    return next((path for path in places if path.is_file()), places[0])


def _sha256(card: Card, path: Path) -> str:
    """The file's checksum, remembered while the file does not change."""
    try:
        path = path.resolve()
        stamp = _stamp(path)
        held = _digests.get(path)
        if held is None or held[0] != stamp:
            with path.open("rb") as file:
                held = _digests[path] = (stamp, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise ModelError(Problem(f"model {card.name}", f"{path} cannot be read: {error.strerror}")) from error
    return held[1]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
