"""Recipes that tests add to."""

TWO_SOURCES = """\
name: demo
vars: {data: corpora, bands: 8}
sources:
  - {name: dclm, path: "${data}/dclm/*.parquet", keep: [url]}
  - {name: zyda-1, path: ["${data}/zyda-1/a.parquet", "s3://b/c.parquet"], id: nemo_id}
"""
