"""Strict offline validation of manifests: core kinds, Dask's and Ray's custom resources."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Json = dict[str, Any]


def dask_schema(kind: str) -> Json:
    """The schema of a Dask kind as the dask-kubernetes package ships it for its helm chart."""
    spec = find_spec("dask_kubernetes")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "operator/deployment/helm/dask-kubernetes-operator/crds"
    return _schema_of(kind, sorted(folder.glob("*.yaml")))


def file_schema(kind: str, path: Path) -> Json:
    """The schema of `kind` in a file of CustomResourceDefinitions."""
    return _schema_of(kind, [path])


def violations(manifest: Json, schema: Json) -> list[str]:
    found = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def _schema_of(kind: str, paths: list[Path]) -> Json:
    for path in paths:
        for crd in yaml.safe_load_all(path.read_text()):
            if crd and crd["spec"]["names"]["kind"] == kind:
                version = next(each for each in crd["spec"]["versions"] if each["storage"])
                schema = _strict(copy.deepcopy(version["schema"]["openAPIV3Schema"]))
                group = f"{crd['spec']['group']}/{version['name']}"
                schema["properties"] |= {
                    "metadata": {"type": "object"},
                    "kind": {"const": kind},
                    "apiVersion": {"const": group},
                }
                return schema
    raise LookupError(f"no CustomResourceDefinition of {kind}")


def _strict(schema: Any) -> Any:
    """OpenAPI as the API server takes it, but with unknown fields as errors instead of pruned."""
    if not isinstance(schema, dict):
        return schema
    strict = {key: value for key, value in schema.items() if key != "description"}
    if strict.get("x-kubernetes-int-or-string"):
        strict.pop("type", None)
        strict["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if strict.get("nullable") and "type" in strict:
        strict["type"] = [strict["type"], "null"]
    if "properties" in strict:
        strict["properties"] = {name: _strict(each) for name, each in strict["properties"].items()}
        if not strict.get("x-kubernetes-preserve-unknown-fields"):
            strict.setdefault("additionalProperties", False)
    for name in ("items", "additionalProperties"):
        if name in strict:
            strict[name] = _strict(strict[name])
    return strict


def pod_specs(manifest: Any) -> Iterator[Json]:
    """Every pod specification inside a manifest, at any depth."""
    if isinstance(manifest, dict):
        if "containers" in manifest:
            yield manifest
        for value in manifest.values():
            yield from pod_specs(value)
    elif isinstance(manifest, list):
        for value in manifest:
            yield from pod_specs(value)
