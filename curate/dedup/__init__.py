"""Exact and near duplicates as pure functions on arrays: no files, no state, no text beyond the sketch.

A document is a uint64 rank: smaller is better, and the top 8 bits are its source. The steps of fuzzy
deduplication, in order:

    Sketcher          texts                 -> band keys, signatures of one byte a slot
    bucket_edges      one band's keys       -> edges to the best document of each bucket
    UnionFind         all edges             -> clusters
    resolve           clusters, signatures  -> the witness of each document that goes
"""

from curate.dedup.bands import PRESETS, Preset, candidate_probability, choose_bands
from curate.dedup.clusters import Clusters, UnionFind, connected
from curate.dedup.exact import Groups, exact_groups, text_hash
from curate.dedup.join import bucket_edges
from curate.dedup.normalize import normalize, normalize_urls, normalized
from curate.dedup.sketch import RememberingSketcher, Shingles, Sketcher, Sketches
from curate.dedup.survivors import STAYS, TextPlaces, resolve, resolve_exactly
from curate.dedup.verify import similarity

__all__ = [
    "PRESETS",
    "STAYS",
    "Clusters",
    "Groups",
    "Preset",
    "RememberingSketcher",
    "Shingles",
    "Sketcher",
    "Sketches",
    "TextPlaces",
    "UnionFind",
    "bucket_edges",
    "candidate_probability",
    "choose_bands",
    "connected",
    "exact_groups",
    "normalize",
    "normalize_urls",
    "normalized",
    "resolve",
    "resolve_exactly",
    "similarity",
    "text_hash",
]
