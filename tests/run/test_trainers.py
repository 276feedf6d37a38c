"""Shards as trainers' own libraries read them, by the examples of docs/outputs.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from tokenizers import Tokenizer

from curate.io.files import sha256_of
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import run
from tests.run.corpora import write_corpora, write_recipe
from tests.run.test_outputs import UNMIXED
from tests.run.tokenizer_files import END, write_tokenizer

DOCS = (Path(__file__).parents[2] / "docs/outputs.md").read_text()
WRITTEN = {
    "parquet": "format: parquet",
    "jsonl": "format: jsonl",
    "jsonl-gzip": "format: jsonl, compression: gzip",
    "mds": "format: mds, tokenizer: FOLDER/tokenizer.json",
    "mds-zstd": "format: mds, compression: zstd",
    "megatron": f'format: megatron, tokenizer: FOLDER/tokenizer.json, end_of_document: "{END}"',
}
#: Streaming imports its image datasets, and so torchvision, before anything; no image is read here.
NO_IMAGES = """
import importlib.machinery, sys, types
try:
    import torchvision
except ImportError:
    for name, names in (("", []), (".datasets", ["VisionDataset", "CIFAR10", "ImageFolder"]),
                        (".transforms", []), (".transforms.functional", ["to_tensor"])):
        module = types.ModuleType("torchvision" + name)
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
        vars(module).update({each: type(each, (), {}) for each in names})
        sys.modules[module.__name__] = module
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an output of the same recipe for each entry of WRITTEN, and the tokenizer."""
    folder = tmp_path_factory.mktemp("trainers")
    write_corpora(folder)
    write_tokenizer(folder / "tokenizer.json")
    for name, keys in WRITTEN.items():
        carry_out(folder, name, keys)
    return folder


def carry_out(folder: Path, name: str, keys: str, workers: int = 2) -> None:
    text = UNMIXED.replace("shard_bytes: 40kB", f"shard_bytes: 40kB, {keys.replace('FOLDER', str(folder))}")
    run(load_recipe(str(write_recipe(folder, text))), str(folder / name), workers=workers)


def examples(heading: str) -> list[str]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", DOCS, re.M | re.S)
    assert section, heading
    return re.findall(r"```python\n(.*?)```", section[1], re.S)


def rows_by(example: str, out: Path, before: str = "", after: str = "rows") -> Any:
    """`rows` of an example of the docs, in a process of its own: these libraries warn, and keep threads and memory."""
    code = f"{before}\n{example.replace('out/my-run', str(out))}\nimport json\nprint(json.dumps({after}))"
    command = [sys.executable, "-W", "ignore", "-c", code]
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parent / "cache"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout.splitlines()[-1])


def expected(outputs: Path) -> list[dict[str, Any]]:
    """What the Parquet shards hold, as JSON holds it, in the order of the shards."""
    return [
        row
        for path in sorted((outputs / "parquet/data").iterdir())
        for row in pq.read_table(path).to_pylist()
    ]


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_datasets_streams_the_rows(outputs: Path, name: str) -> None:
    (example,) = examples("Parquet")
    assert example == examples("JSON lines")[0]
    assert rows_by(example, outputs / name) == expected(outputs)


def test_datasets_loads_json_lines_into_its_cache(outputs: Path) -> None:
    (example,) = examples("Parquet")
    assert rows_by(example.replace(", streaming=True", ""), outputs / "jsonl-gzip") == expected(outputs)


def test_json_lines_are_read_without_datasets(outputs: Path) -> None:
    assert rows_by(examples("JSON lines")[1], outputs / "jsonl") == expected(outputs)


def test_megatron_reads_the_tokens_of_each_document(outputs: Path) -> None:
    pytest.importorskip("megatron.core", reason="megatron-core is not installed")
    tokenizer = Tokenizer.from_file(str(outputs / "tokenizer.json"))
    after = "[rows, dataset.index.dtype.__name__]"
    rows, dtype = rows_by(*examples("Megatron"), outputs / "megatron", after=after)
    assert dtype == "uint16"
    end = tokenizer.token_to_id(END)
    assert rows == [[*tokenizer.encode(row["text"]).ids, end] for row in expected(outputs)]


def has_streaming() -> bool:
    code = f"{NO_IMAGES}\nimport streaming"
    return subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", ["mds", "mds-zstd"])
def test_streaming_reads_the_samples(outputs: Path, name: str) -> None:
    if not has_streaming():
        pytest.skip("mosaicml-streaming cannot be imported: docs/outputs.md says how to install it")
    tokenizer = Tokenizer.from_file(str(outputs / "tokenizer.json"))
    (example,) = examples("MosaicML Streaming")
    if name == "mds-zstd":
        place = 'local="out/my-run/data"'
        assert place in example
        example = example.replace(place, f'remote="out/my-run/data", local="{outputs}/unpacked"')
    after = "[{k: v.tolist() if k == 'tokens' else v for k, v in row.items()} for row in rows]"
    rows = rows_by(example, outputs / name, NO_IMAGES, after)
    tokens = [row.pop("tokens", None) for row in rows]
    assert rows == expected(outputs)
    if name == "mds":
        assert tokens == [tokenizer.encode(row["text"]).ids for row in rows]
    assert verify(str(outputs / name)) == []


def test_compressed_samples_say_their_size(outputs: Path) -> None:
    # The decompressor of mosaicml-streaming 0.13 fails on larger frames that do not.
    data = outputs / "mds-zstd" / "data"
    for shard in json.loads((data / "index.json").read_text())["shards"]:
        frame = (data / shard["zip_data"]["basename"]).read_bytes()
        assert zstandard.frame_content_size(frame) == shard["raw_data"]["bytes"]


@pytest.mark.parametrize("name", WRITTEN)
def test_outputs_verify_until_a_byte_changes(outputs: Path, name: str) -> None:
    out = outputs / name
    assert verify(str(out)) == []
    for path in sorted((out / "data").iterdir())[:2]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert any(str(path) in problem.where for problem in verify(str(out)))
        path.write_bytes(whole)
    if name in ("mds", "megatron"):
        beside = next(iter((out / "data").glob("*.idx" if name == "megatron" else "index.json")))
        whole = beside.read_bytes()
        beside.unlink()
        assert any(str(beside) in problem.where for problem in verify(str(out)))
        beside.write_bytes(whole)


@pytest.mark.parametrize("name", ["jsonl", "mds-zstd", "megatron"])
def test_the_same_bytes_come_again_and_after_a_loss(outputs: Path, name: str) -> None:
    def digests(out: Path) -> dict[str, str]:
        return {
            path.name: sha256_of(str(path)) for path in [*(out / "data").iterdir(), out / "manifest.json"]
        }

    first = digests(outputs / name)
    carry_out(outputs, f"{name}-again", WRITTEN[name], workers=1)
    assert digests(outputs / f"{name}-again") == first
    gone = sorted((outputs / name / "data").glob("train-*"))[-1]
    gone.unlink()
    carry_out(outputs, name, WRITTEN[name])
    assert digests(outputs / name) == first


def test_another_format_replaces_the_shards(outputs: Path) -> None:
    carry_out(outputs, "changing", WRITTEN["mds"])
    carry_out(outputs, "changing", WRITTEN["jsonl"])
    names = {path.name.split(".", 1)[1] for path in (outputs / "changing/data").iterdir()}
    assert names == {"jsonl.zst"}
    assert verify(str(outputs / "changing")) == []
