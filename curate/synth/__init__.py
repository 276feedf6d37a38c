"""Sample corpora in the schemas of Zyda-2's four sources, with planted duplicates of known similarity."""

from curate.synth.generate import generate

__all__ = ["generate"]
