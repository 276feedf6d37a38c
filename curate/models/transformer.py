"""Text classifiers of the transformers library: any AutoModelForSequenceClassification, and NeMo Curator's DeBERTa.

Weights are read from safetensors only; no code of a model's repository is run.

Texts are sorted by their number of tokens and computed in blocks of a few fixed shapes: each text is filled up to the
next of `LENGTHS`, and a block that is short of texts with copies of its first. So what a text shares a block with
changes neither the shape of any operation nor, where a library's kernels treat rows alike, a bit of its scores. What
does change them in the last bits is another device, another number of processor threads, another version of torch:
scores are therefore computed once, kept in the run's layers, and never computed again by a resume.

On a GPU the arithmetic is bfloat16 (torch's autocast), on the processor float32.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.kernels import Texts
from curate.models.card import Card
from curate.models.classifier import Predictions, refuse_nan
from curate.models.hub import missing_extra
from curate.models.registry import ModelFiles

try:
    import torch
    import transformers
    from safetensors import SafetensorError
    from safetensors.torch import load_file
except ImportError as error:
    raise missing_extra("transformers", str(error.name)) from error

LENGTHS = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)
#: Tokens of a block: on the processor as many as its caches like.
TOKENS_A_BLOCK = {"cuda": 32_768, "cpu": 2_048}
#: Where neither the card nor the tokenizer says where to cut.
MAX_TOKENS = 512


class DebertaHead(torch.nn.Module):
    """NeMo Curator's classifiers: an encoder, dropout, and a linear layer `fc` on the first token."""

    def __init__(self, config: transformers.PretrainedConfig, labels: int) -> None:
        super().__init__()
        auto: Any = transformers.AutoModel  # its own types are incomplete
        self.model = auto.from_config(config)
        self.fc = torch.nn.Linear(config.hidden_size, labels)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: torch.Tensor = self.fc(states[:, 0, :])
        return logits


class SequenceClassification(torch.nn.Module):
    """Any AutoModelForSequenceClassification, reduced to its logits."""

    def __init__(self, model: transformers.PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


class TransformerClassifier:
    """A transformer on one device. Threads take turns: a block uses all of the device."""

    def __init__(self, files: ModelFiles, device: str) -> None:
        """Raises ModelError where the files are not those of such a model, or the device is not there."""
        self._card = files.card
        self.sha256 = files.digest
        self._device = torch.device("cuda" if placed(files.card, device) == "gpu" else "cpu")
        _refuse_pickle(files)
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                files.path, local_files_only=True, trust_remote_code=False
            )
            head, self.labels = (_deberta if self._card.kind == "deberta_head" else _sequence)(files)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise _unusable(files, error) from error
        self._head = head.eval().to(self._device)
        self._max_tokens = self._card.text.max_tokens or min(self._tokenizer.model_max_length, MAX_TOKENS)
        self._lock = threading.Lock()
        _check_outputs(self._card, len(self.labels))

    def predict(self, texts: Texts, rows: NDArray[np.int64]) -> Predictions:
        outputs = self._outputs(_strings(texts, rows, self._card.text.max_chars))
        refuse_nan(self._card, outputs)
        if self._card.range is None:
            return Predictions(outputs.argmax(axis=1).astype(np.int32), outputs)
        low, high = self._card.range
        value = outputs[:, 0]
        best = (np.rint(np.clip(value, low, high)) - low).astype(np.int32)
        return Predictions(best, np.zeros((len(rows), 0), np.float32), value)

    def _outputs(self, texts: list[str]) -> NDArray[np.float32]:
        """Float32, shape (texts, outputs): probabilities, or the number of a regression."""
        tokens = self._tokenizer(texts, truncation=True, max_length=self._max_tokens)["input_ids"]
        sizes = np.array([len(each) for each in tokens])
        width = 1 if self._card.output == "regression" else len(self.labels)
        outputs = np.empty((len(texts), width), np.float32)
        budget = TOKENS_A_BLOCK[self._device.type]
        for chosen, length in _blocks(sizes, self._max_tokens, budget):
            block = _padded([tokens[i] for i in chosen], length, budget, self._padding)
            outputs[chosen] = self._forward(*block)[: len(chosen)]
        return outputs

    @property
    def _padding(self) -> int:
        return int(self._tokenizer.pad_token_id or 0)

    def _forward(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        bfloat16 = torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda")
        with self._lock, torch.inference_mode(), bfloat16:
            logits = self._head(
                torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
            ).float()
            if self._card.output == "softmax":
                logits = torch.softmax(logits, dim=-1)
            elif self._card.output == "sigmoid":
                logits = torch.sigmoid(logits)
            found: NDArray[np.float32] = logits.cpu().numpy()
        return found


def placed(card: Card, device: str) -> str:
    """Where "cpu", "gpu" or "auto" puts it: cpu or gpu. Raises ModelError for "gpu" where torch finds none."""
    there = torch.cuda.is_available()
    if device == "gpu" and not there:
        fix = "leave --device out, or install a torch build for this GPU and its driver"
        raise ModelError(Problem(f"model {card.name}", "--device gpu, and torch finds no GPU", fix=fix))
    return "gpu" if there and device != "cpu" else "cpu"


def _refuse_pickle(files: ModelFiles) -> None:
    if not any(name.endswith(".safetensors") for name in files.sha256):
        pickled = sorted(file.name for file in files.path.glob("*.bin"))
        found = (
            f"{files.path} holds {', '.join(pickled)}, which is pickled"
            if pickled
            else f"none in {files.path}"
        )
        raise ModelError(
            Problem(
                f"model {files.card.name}",
                found,
                "weights as safetensors: opening a pickled file can run code",
                "convert it on a machine you can spare: save_pretrained of a trusted copy writes safetensors",
            )
        )


def _sequence(files: ModelFiles) -> tuple[torch.nn.Module, tuple[str, ...]]:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        files.path, use_safetensors=True, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )
    if files.card.range is not None:
        low, high = files.card.range
        if model.config.num_labels != 1:
            raise ValueError(f"{model.config.num_labels} outputs, and a regression has one")
        return SequenceClassification(model), tuple(str(label) for label in range(low, high + 1))
    return SequenceClassification(model), _names(model.config.id2label)


def _deberta(files: ModelFiles) -> tuple[torch.nn.Module, tuple[str, ...]]:
    written = json.loads((files.path / "config.json").read_text(encoding="utf-8"))
    architecture = written if "model_type" in written else files.card.architecture
    if architecture is None:
        raise ValueError("config.json names no model_type, and the card no architecture")
    rest = {key: value for key, value in architecture.items() if key != "model_type"}
    config = transformers.AutoConfig.for_model(architecture["model_type"], **rest)
    labels = _names({int(key): value for key, value in written["id2label"].items()})
    head = DebertaHead(config, len(labels))
    weights: dict[str, torch.Tensor] = {}
    for path in sorted(files.path.glob("*.safetensors")):
        weights |= load_file(path)
    missing, unexpected = head.load_state_dict(weights, strict=False)
    # Older versions of transformers saved the numbers 0, 1, 2, ... among the weights.
    unexpected = [name for name in unexpected if not name.endswith("position_ids")]
    if missing or unexpected:
        raise ValueError(f"weights missing: {missing[:3]}; without a place: {unexpected[:3]}")
    return head, labels


def _names(id2label: dict[int, str]) -> tuple[str, ...]:
    return tuple(id2label[place] for place in sorted(id2label))


def _check_outputs(card: Card, labels: int) -> None:
    if card.labels is not None and len(card.labels) != labels:
        raise ModelError(
            Problem(f"model {card.name}", f"has {labels} labels", f"its card's: {', '.join(card.labels)}")
        )


def _unusable(files: ModelFiles, error: Exception) -> ModelError:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    kind = (
        "an encoder with NeMo Curator's head"
        if files.card.kind == "deberta_head"
        else ("a model for sequence classification with its tokenizer, as save_pretrained writes them")
    )
    return ModelError(Problem(f"model {files.card.name}", f"{files.path} cannot be loaded: {said}", kind))


def _strings(texts: Texts, rows: NDArray[np.int64], max_chars: int | None) -> list[str]:
    """The texts as Python strings, cut to `max_chars`; a code point takes up to four bytes."""
    data = texts.data.data
    starts, stops = texts.offsets[rows].tolist(), texts.offsets[rows + 1].tolist()
    found = []
    for start, stop in zip(starts, stops, strict=True):
        if max_chars is not None:
            stop = min(stop, start + 4 * max_chars)
        found.append(bytes(data[start:stop]).decode("utf-8", "replace")[:max_chars])
    return found


def _blocks(
    sizes: NDArray[np.int64], max_tokens: int, budget: int
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Which texts are computed together, the longest first, and the length they are filled up to."""
    lengths = np.array([*(length for length in LENGTHS if length < max_tokens), max_tokens])
    bucket = np.searchsorted(lengths, sizes)
    for place in range(len(lengths) - 1, -1, -1):
        members = np.flatnonzero(bucket == place)
        rows = _rows(int(lengths[place]), budget)
        for start in range(0, len(members), rows):
            yield members[start : start + rows], int(lengths[place])


def _rows(length: int, budget: int) -> int:
    return max(1, budget // length)


def _padded(
    tokens: list[list[int]], length: int, budget: int, padding: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, int64, shape (rows of such a block, length)."""
    rows = _rows(length, budget)
    ids = np.full((rows, length), padding, np.int64)
    mask = np.zeros((rows, length), np.int64)
    for row in range(rows):
        each = tokens[row] if row < len(tokens) else tokens[0]
        ids[row, : len(each)] = each
        mask[row, : len(each)] = 1
    return ids, mask
