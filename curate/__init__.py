"""curate turns raw web corpora into LLM pretraining data."""
