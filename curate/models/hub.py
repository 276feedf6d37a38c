"""Files of models on the Hugging Face hub, through its own cache; never a pickled one.

`HF_HUB_OFFLINE=1` is respected: then only what the cache already holds is used. `HF_HOME` and `HF_HUB_CACHE` say where
the cache is.
"""

from __future__ import annotations

from pathlib import Path

from curate.errors import ModelError, Problem
from curate.models.card import HUB_ID, Card

#: What a transformer needs. Weights are safetensors only: pickled ones can run code when they are opened.
NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt")


def fetch(card: Card) -> Path:
    """The card's file of the hub, or the folder of the repository's files that are needed, downloaded if need be.

    Raises ModelError where the extra `classifiers` is not installed, where the hub cannot be reached (or must not be)
    and the cache has no copy, and where there is no such repository, revision or file.
    """
    try:
        import huggingface_hub
        from huggingface_hub import constants, errors
    except ImportError as error:
        raise missing_extra(card.name, "huggingface_hub") from error
    repository, revision = card.where.hub, card.where.revision
    assert repository is not None
    try:
        if card.where.file is not None:
            return Path(huggingface_hub.hf_hub_download(repository, card.where.file, revision=revision))
        return Path(
            huggingface_hub.snapshot_download(repository, revision=revision, allow_patterns=list(NEEDED))
        )
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
    ) as error:
        raise _not_there(card, str(error).splitlines()[0]) from error
    except (
        errors.HfHubHTTPError,
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        OSError,
    ) as error:
        unreachable = f"the hub cannot be reached ({type(error).__name__})"
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else unreachable
        raise _not_cached(card, constants.HF_HUB_CACHE, why) from error


def _not_there(card: Card, said: str) -> ModelError:
    fix = "check the name and revision in the card; for a private one, log in with `hf auth login`"
    return ModelError(Problem(f"model {card.name}", f"{_called(card)}: {said}", fix=fix))


def _not_cached(card: Card, cache: str, why: str) -> ModelError:
    wanted = "the file" if card.where.file else "a folder that holds the files"
    return ModelError(
        Problem(
            f"model {card.name}",
            f"{_called(card)} is not in the cache {cache}, and {why}",
            fix=f"where there is a network, run `{_command(card)}` and copy {cache} here; or give `model` the path "
            f"of {wanted}",
        )
    )


def missing_extra(model: str, package: str) -> ModelError:
    """The error of a model that needs a package that is not installed."""
    fix = "pip install 'curate[classifiers]'"
    return ModelError(Problem(f"model {model}", f"the package {package} is not installed", fix=fix))


def _command(card: Card) -> str:
    """What fetches the card's files. Without a card, `curate models fetch` takes a repository for a transformer."""
    bare = HUB_ID.fullmatch(card.name)
    if card.where.file is None or not bare or bare["hub"] != card.where.hub:
        return f"curate models fetch {card.name}"
    revision = f" --revision {card.where.revision}" if card.where.revision else ""
    return f"hf download {card.where.hub} {card.where.file}{revision}"


def _called(card: Card) -> str:
    file = f"/{card.where.file}" if card.where.file else ""
    return f"{card.where.hub}{file} at {card.where.revision or 'its newest revision'}"
