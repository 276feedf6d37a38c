"""A small byte-level tokenizer as a file, learnt from the texts of the small corpora."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.run.corpora import document

END = "<|endoftext|>"


def write_tokenizer(path: Path, *, truncated: bool = False) -> Tokenizer:
    """Returns it as tokenizers reads it back. truncated: with a truncation and padding, as files of models have."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([document(number) for number in range(20)], trainer)
    plain = Tokenizer.from_str(made.to_str())
    if truncated:
        made.enable_truncation(16)
        made.enable_padding(length=16)
    made.save(str(path))
    return plain
