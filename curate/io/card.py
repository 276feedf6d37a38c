"""The dataset card OUT/README.md, by which Hugging Face's `load_dataset(OUT)` finds the shards alone."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from curate.io.files import atomic_write
from curate.io.manifest import Manifest, StageEntry, Totals

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)


def write_card(out: str) -> None:
    """Writes OUT/README.md from OUT/manifest.json. Raises OutputError where there is no readable manifest."""
    text = card(Manifest.load(out))
    with atomic_write(f"{str(out).rstrip('/')}/README.md") as file:
        file.write(text.encode())


def card(manifest: Manifest) -> str:
    """The card as Markdown with YAML front matter; the same manifest gives the same card."""
    front = yaml.safe_dump(_front_matter(manifest), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{_body(manifest)}"


def _front_matter(manifest: Manifest) -> dict[str, Any]:
    front: dict[str, Any] = {
        "pretty_name": manifest.name,
        "task_categories": ["text-generation"],
        "size_categories": [_size_category(manifest.totals.rows_out)],
    }
    if manifest.shard_format.data_files is None:
        front["viewer"] = False
    else:
        front["configs"] = [_config(manifest, manifest.shard_format.data_files)]
    languages = _languages(manifest)
    return {"language": languages, **front} if languages else front


def _config(manifest: Manifest, data_files: str) -> dict[str, Any]:
    return {
        "config_name": "default",
        "data_files": [{"split": "train", "path": data_files}],
        # `datasets` caches a folder by its name and these entries: without what tells one run from
        # another, it would give the rows of an earlier run that had the same folder name.
        "description": f"{manifest.name}, shards {_digest(manifest)}",
    }


def _digest(manifest: Manifest) -> str:
    """One checksum of all shards: sha256 over their own, in order, in hex."""
    return hashlib.sha256("".join(shard.sha256 for shard in manifest.shards).encode()).hexdigest()


def _size_category(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), "n>1T")


def _languages(manifest: Manifest) -> list[str]:
    """What the run's language stages keep; none where a source's documents pass no such stage."""
    kept: set[str] = set()
    for source in manifest.sources:
        stages = [
            stage
            for stage in manifest.stages
            if stage.kind == "language" and (stage.sources is None or source.name in stage.sources)
        ]
        if not stages:
            return []
        kept |= set.intersection(*(set(stage.definition.get("keep") or ()) for stage in stages))
    return sorted(kept)


def _body(manifest: Manifest) -> str:
    totals = manifest.totals
    rows = [_table_row(source.name, source) for source in manifest.sources]
    rows.append(_table_row("**all**", totals))
    return "\n".join(
        [
            f"# {manifest.name}",
            "",
            f"{_counted(totals.rows_out, 'document')}, {_tokens(manifest)}, "
            f"in {_counted(len(manifest.shards), f'{manifest.shard_format.title} shard')}.",
            "",
            "```python",
            manifest.shard_format.snippet,
            "```",
            "",
            "## Sources",
            "",
            "| source | documents in | kept | rows here | tokens here |",
            "|---|---:|---:|---:|---:|",
            *rows,
            "",
            "The column `source` says where each row is from. A row that the mix repeats counts each time.",
            "",
            "## How it was made",
            "",
            f"By curate {manifest.versions.get('curate', '')} with the recipe in `manifest.json` "
            f"(sha256 `{manifest.recipe_sha256}`), in these stages:",
            "",
            *(_stage_line(number, stage) for number, stage in enumerate(manifest.stages, 1)),
            "",
            "`report/index.html` shows what each stage dropped; `ledger/` has the decision about every input "
            "document: its stage, rule and value, and of a duplicate the document it duplicates.",
            "",
        ]
    )


def _tokens(manifest: Manifest) -> str:
    count = _counted(manifest.totals.tokens_out, "token")
    if manifest.tokens.method == "tokenizer":
        return f"{count} of {manifest.tokens.tokenizer} (sha256 `{manifest.tokens.sha256}`)"
    return f"about {count}, {manifest.tokens.how}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _table_row(name: str, counts: Totals) -> str:
    cells = (counts.documents, counts.kept, counts.rows_out, counts.tokens_out)
    return f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |"


def _stage_line(number: int, stage: StageEntry) -> str:
    name = stage.name if stage.name == stage.kind else f"{stage.name} ({stage.kind})"
    only = "" if stage.sources is None else f", of {', '.join(stage.sources)} only"
    return f"{number}. {name}{only}"
