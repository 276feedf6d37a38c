from pathlib import Path

import pytest

from curate.synth import generate
from tests.synth.corpora import DOCUMENTS, Corpora


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    folder: Path = tmp_path_factory.mktemp("synth")
    generate(folder, DOCUMENTS, seed=3)
    return Corpora(folder)
