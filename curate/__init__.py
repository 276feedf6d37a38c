"""curate turns raw web corpora into LLM pretraining data."""

__version__ = "0.1.0"
