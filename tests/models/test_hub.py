"""Models of the Hugging Face hub, from a cache folder laid out as the hub's own library lays it out, and no network."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra classifiers)")

from huggingface_hub import constants
from typer.testing import CliRunner

from curate.cli import app
from curate.errors import ModelError
from curate.kernels import Texts
from curate.models.registry import card_of
from curate.stages.base import Batch
from curate.stages.language import Language
from curate.stages.quality import Quality
from tests.models.fasttext_files import Spec, model_bytes

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def into_cache(cache: Path, repository: str, files: dict[str, bytes]) -> None:
    """blobs by checksum, a snapshot of links to them, and the commit that `main` stands for."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / COMMIT
    for part in (folder / "blobs", folder / "refs", snapshot):
        part.mkdir(parents=True, exist_ok=True)
    (folder / "refs/main").write_text(COMMIT)
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))


def card(folder: Path, kind: str, sha256: dict[str, str | None], **where: str) -> str:
    path = folder / "own.yaml"
    content = {
        "name": "own",
        "summary": "",
        "kind": kind,
        "licence": "none",
        "source": "tests",
        "where": where,
    }
    path.write_text(yaml.safe_dump({**content, "sha256": sha256}))
    return str(path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the hub, offline."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def stage(model: str) -> Quality:
    return Quality(Quality.Config(model=model))


def test_a_fasttext_file_is_taken_from_the_cache_and_checked(tmp_path: Path, cache: Path) -> None:
    content = model_bytes(Spec())
    sha256 = hashlib.sha256(content).hexdigest()
    into_cache(cache, "someone/words", {"model.bin": content})
    where = {"hub": "someone/words", "revision": COMMIT, "file": "model.bin"}
    pinned = stage(card(tmp_path, "fasttext", {"model.bin": sha256}, **where))
    assert (pinned.definition()["sha256"], pinned.warnings()) == (sha256, ())
    with pytest.raises(ModelError, match=rf"SHA-256 {sha256}(.|\n)*{'0' * 64}"):
        stage(card(tmp_path, "fasttext", {"model.bin": "0" * 64}, **where)).definition()
    unpinned = stage(card(tmp_path, "fasttext", {"model.bin": None}, **where))
    assert unpinned.definition()["sha256"] == sha256, "what was seen is recorded"
    (warning,) = unpinned.warnings()
    assert "no checksum is pinned" in warning


def test_language_takes_a_repository_by_its_name(cache: Path) -> None:
    content = model_bytes(Spec(labels=("__label__eng_Latn", "__label__deu_Latn")))
    into_cache(cache, "someone/lid-1.5", {"model.bin": content})
    for model in ("someone/lid-1.5", "someone/lid-1.5@main", f"someone/lid-1.5@{COMMIT}"):
        found = Language(Language.Config(model=model, keep=("en",)))
        assert found.definition()["sha256"] == hashlib.sha256(content).hexdigest()
        (warning,) = found.warnings()
        assert "no checksum is pinned" in warning
        verdicts = found.decide(Batch("web", Texts.from_arrow(pa.array(["the", "house"]))), np.arange(2))
        assert set(verdicts.columns["lang"].to_pylist()) <= {"en", "de"}


@pytest.mark.parametrize("kind", [Quality, Language])
def test_a_fasttext_file_of_the_hub_pinned_in_the_recipe(cache: Path, kind: type[Quality | Language]) -> None:
    content = model_bytes(Spec())
    sha256 = hashlib.sha256(content).hexdigest()
    into_cache(cache, "someone/words", {"words.ftz": content, "model.bin": content})
    models = ["hf://someone/words/words.ftz", f"hf://someone/words@{COMMIT}/words.ftz"]
    models += ["someone/words", f"someone/words@{COMMIT}"] if kind is Language else []
    for model in models:
        found, pinned = (kind(kind.Config(model=name)) for name in (model, f"{model}#sha256={sha256}"))
        assert found.definition()["sha256"] == pinned.definition()["sha256"] == sha256
        assert (len(found.warnings()), len(pinned.warnings())) == (1, 0)
        (named,) = re.findall(r"`curate models fetch (\S+)` prints it", found.warnings()[0])
        assert f"{sha256}  " in CliRunner().invoke(app, ["models", "fetch", named]).stdout
        batch = Batch("web", Texts.from_arrow(pa.array(["the", "house"])))
        assert pinned.decide(batch, np.arange(2)).columns == found.decide(batch, np.arange(2)).columns
        with pytest.raises(ModelError, match=rf"SHA-256 {sha256}(.|\n)*{'0' * 64}"):
            kind(kind.Config(model=f"{model}#sha256={'0' * 64}")).definition()
    for wrong in ("", "12", "g" * 64):
        with pytest.raises(ModelError, match="64 digits"):
            kind(kind.Config(model=f"{models[0]}#sha256={wrong}")).definition()
    with pytest.raises(ModelError, match=r"curate models fetch hf://someone/else/words\.bin"):
        kind(kind.Config(model="hf://someone/else/words.bin")).definition()


def test_the_revision_of_a_file_of_the_hub_may_be_a_pull_request() -> None:
    where = card_of("hf://someone/words@refs/pr/12/folder/words.bin").where
    assert (where.hub, where.revision, where.file) == ("someone/words", "refs/pr/12", "folder/words.bin")


def test_a_path_and_a_card_can_be_pinned_in_the_recipe(tmp_path: Path, cache: Path) -> None:
    content = model_bytes(Spec())
    sha256 = hashlib.sha256(content).hexdigest()
    path = tmp_path / "words.bin"
    path.write_bytes(content)
    assert stage(f"{path}#sha256={sha256}").definition()["sha256"] == sha256
    with pytest.raises(ModelError, match=r"SHA-256(.|\n)*behind the model's name"):
        stage(f"{path}#sha256={'0' * 64}").definition()
    with pytest.raises(ModelError, match="says its card"):
        stage(f"quality-default#sha256={'0' * 64}").definition()


def test_language_takes_a_card_of_the_hub(tmp_path: Path, cache: Path) -> None:
    content = model_bytes(Spec())
    sha256 = hashlib.sha256(content).hexdigest()
    into_cache(cache, "someone/words", {"lid.ftz": content})
    where = {"hub": "someone/words", "file": "lid.ftz"}
    pinned = Language(Language.Config(model=card(tmp_path, "fasttext", {"lid.ftz": sha256}, **where)))
    assert (pinned.definition()["sha256"], pinned.warnings()) == (sha256, ())
    with pytest.raises(ModelError, match=rf"SHA-256 {sha256}(.|\n)*{'0' * 64}"):
        Language(
            Language.Config(model=card(tmp_path, "fasttext", {"lid.ftz": "0" * 64}, **where))
        ).definition()


def test_a_language_model_not_in_the_cache_says_how_to_get_it(cache: Path) -> None:
    with pytest.raises(ModelError, match=r"`hf download someone/else model\.bin --revision v1`"):
        Language(Language.Config(model="someone/else@v1")).definition()
    with pytest.raises(ModelError, match="no such name and no such file"):
        Language(Language.Config(model="models/missing.bin")).definition()


def test_a_transformer_is_taken_from_the_cache(tmp_path: Path, cache: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra classifiers)")
    from tests.models.transformers_saved import save_bert

    save_bert(tmp_path / "saved", 3)
    files = {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    into_cache(cache, "someone/judge", files)
    found = stage("someone/judge@main")
    assert len(str(found.definition()["sha256"])) == 64
    weights = hashlib.sha256(files["model.safetensors"]).hexdigest()
    pinned = stage(card(tmp_path, "transformer", {"model.safetensors": weights}, hub="someone/judge"))
    assert pinned.definition()["sha256"] == found.definition()["sha256"]
    assert (len(found.warnings()), len(pinned.warnings())) == (1, 0)


@pytest.mark.parametrize("model", ["nvidia-quality", "fineweb-edu", "dclm", "someone/else"])
def test_offline_and_not_in_the_cache_says_what_to_do(cache: Path, model: str) -> None:
    with pytest.raises(ModelError) as caught:
        stage(model).definition()
    for said in ("HF_HUB_OFFLINE is set", f"curate models fetch {model}", str(cache)):
        assert said in str(caught.value)


def test_the_environment_is_respected(tmp_path: Path) -> None:
    program = "from curate.models.registry import resolve; resolve('dclm')"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "empty")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert f"is not in the cache {tmp_path / 'empty'}, and HF_HUB_OFFLINE is set" in done.stderr
