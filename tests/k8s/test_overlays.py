"""Kustomize renders every overlay, and what it renders is what the API servers of today take."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="extra `test` brings the schemas")
pytest.importorskip("dask_kubernetes", reason="extra `test` brings Dask's schemas")

from tests.k8s import schemas  # noqa: E402 - it needs what the lines above look for

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not on the PATH (Debian: kubernetes-client)"
)


@cache
def rendered(overlay: str) -> list[schemas.Json]:
    text = subprocess.run(
        ["kubectl", "kustomize", str(K8S / "overlays" / overlay)], check=True, capture_output=True, text=True
    ).stdout
    return [each for each in yaml.safe_load_all(text) if each]


def workload(overlay: str) -> schemas.Json:
    (found,) = [each for each in rendered(overlay) if each["kind"] in ("Job", "DaskJob", "RayJob")]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_core_kind_is_valid_strictly(overlay):
    core = [each for each in rendered(overlay) if "." not in each["apiVersion"].split("/")[0]]
    assert {"ServiceAccount", "PersistentVolumeClaim", "ConfigMap"} <= {each["kind"] for each in core}
    for manifest in core:
        kubernetes_validate.validate(manifest, "1.30", strict=True)


def test_strict_validation_finds_what_it_should():
    job = yaml.safe_load(yaml.safe_dump(workload("job-cpu")))
    job["spec"]["template"]["spec"]["containers"][0]["resource"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, "1.30", strict=True)
    dask = yaml.safe_load(yaml.safe_dump(workload("dask-gpu")))
    dask["spec"]["cluster"]["spec"]["worker"]["replica"] = 3
    assert schemas.violations(dask, schemas.dask_schema("DaskJob"))


@pytest.mark.parametrize("overlay", ["dask-cpu", "dask-gpu"])
def test_dask_jobs_meet_the_operators_schema(overlay):
    assert schemas.violations(workload(overlay), schemas.dask_schema("DaskJob")) == []


def test_the_ray_job_meets_the_operators_schema():
    crd = os.environ.get("RAYJOB_CRD")
    if not crd:
        pytest.skip("RAYJOB_CRD names no file: no package carries KubeRay's ray.io_rayjobs.yaml")
    assert schemas.violations(workload("ray-gpu"), schemas.file_schema("RayJob", Path(crd))) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_valid_and_hardened(overlay):
    """Pods inside custom resources too: their schemas let much of a pod pass."""
    pods = list(schemas.pod_specs(workload(overlay)))
    assert pods
    for spec in pods:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
        kubernetes_validate.validate(pod, "1.30", strict=True)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        mounted = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            resources = container["resources"]
            assert set(resources["requests"]) >= {"cpu", "memory"}
            assert resources["limits"]["memory"] == resources["requests"]["memory"]
            paths = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            assert set(paths.values()) <= mounted
            assert "/tmp" in paths, "libraries need one folder that can be written"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gpus_are_asked_for_where_the_run_asks_for_them(overlay):
    asked = [
        (spec, container["resources"]["limits"]["nvidia.com/gpu"])
        for spec in schemas.pod_specs(workload(overlay))
        for container in spec["containers"]
        if "nvidia.com/gpu" in container["resources"]["limits"]
    ]
    assert [gpus for _, gpus in asked] == (["1"] if overlay.endswith("-gpu") else [])
    for spec, _ in asked:
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]
        assert spec["nodeSelector"]
    assert ("--device=gpu" in arguments(overlay)) == overlay.endswith("-gpu")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_pods_refer_to_is_there(overlay):
    names = {(each["kind"], each["metadata"]["name"]) for each in rendered(overlay)}
    for spec in schemas.pod_specs(workload(overlay)):
        assert ("ServiceAccount", spec["serviceAccountName"]) in names
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in names
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
        for container in spec["containers"]:
            for source in container.get("envFrom", []):
                if "configMapRef" in source:
                    assert ("ConfigMap", source["configMapRef"]["name"]) in names
                else:
                    assert source["secretRef"] == {"name": "curate-storage", "optional": True}
    assert not any(kind == "Secret" for kind, _ in names)


def arguments(overlay: str) -> list[str]:
    """The command line of `curate` in an overlay, without the program's name."""
    job = workload(overlay)
    if job["kind"] == "RayJob":
        return shlex.split(job["spec"]["entrypoint"])[1:]
    template = job["spec"]["template"] if job["kind"] == "Job" else job["spec"]["job"]
    return list(template["spec"]["containers"][0]["args"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_command_lines_are_ones_that_curate_takes(overlay):
    """Through the program's own parser: options, their values, and nothing else."""
    import typer

    from curate.cli import app

    command = typer.main.get_command(app).commands["run"]
    context = command.make_context("run", [*arguments(overlay)[1:]])
    assert arguments(overlay)[0] == "run"
    engine = next((name for name in ("dask", "ray") if overlay.startswith(name)), "local")
    assert context.params["engine"] == engine
    assert str(context.params["recipe"]) == "/etc/curate/recipe.yaml"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_recipe_is_the_pipeline_of_the_repository(overlay):
    (recipe,) = [each for each in rendered(overlay) if each["metadata"]["name"] == "curate-recipe"]
    assert recipe["data"]["recipe.yaml"] == (ROOT / "pipelines/zyda2.yaml").read_text()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_image_for_every_overlay_with_extras_that_exist(overlay):
    images = {
        c["image"].split(":")[0] for spec in schemas.pod_specs(workload(overlay)) for c in spec["containers"]
    }
    assert len(images) == 1
    file = {"curate": "Dockerfile.cpu", "curate-rapids": "Dockerfile.rapids"}[images.pop()]
    text = (K8S / "images" / file).read_text()
    extras = set(re.findall(r"\[([a-z0-9,]+)\]\"", text)[0].split(","))
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras <= set(known)
    assert not overlay.startswith(("dask", "ray")) or overlay.split("-")[0] in extras
    assert "USER 10001" in text
