"""The command line: exit codes, what goes to which stream, what a run shows."""

from __future__ import annotations

import importlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curate import cli
from curate.errors import GuardError, Problem
from curate.run import Result
from tests.report.outputs import write_output

RECIPE = """\
name: demo
sources: [{name: dclm, path: "*.parquet"}, {name: dolma-cc, path: "*.json.gz"}]
stages: [exact_dedup]
max_bad: 3
"""
COUNTS = {
    "documents": 1000,
    "kept": 900,
    "rows_out": 1800,
    "bytes_in": 4_000_000,
    "bytes_out": 7_200_000,
    "tokens_in": 1_000_000,
    "tokens_out": 1_800_000,
    "quarantined": 4,
}
DROPS = {"documents_in": 1000, "dropped": 96, "tokens_dropped": 9, "reasons": {"exact_dedup.duplicate": 96}}
STATS: dict[str, Any] = {
    "sources": {"dclm": COUNTS, "dolma-cc": COUNTS},
    "stages": [{"name": "exact_dedup", "kind": "exact_dedup", "sources": {"dclm": DROPS, "dolma-cc": DROPS}}],
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return "recipe.yaml"


@pytest.fixture
def curate(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Calls the command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curate", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch):
    """Replaces `curate.run.run` by a function; gives the calls it gets."""

    def replace(function) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def run(recipe, out, **options):
            calls.append({"recipe": recipe, "out": out, **options})
            return function(out, options["progress"])

        monkeypatch.setattr(importlib.import_module("curate.run"), "run", run)
        return calls

    return replace


def raising(error: BaseException):
    def function(out: str, progress: Any) -> Result:
        raise error

    return function


def test_a_run_shows_what_came_in_what_went_out_and_why(curate, recipe: str, running) -> None:
    calls = running(lambda out, progress: Result(out, STATS, 3))
    code, out, err = curate("run", recipe)
    assert (code, err) == (0, "")
    assert calls[0]["out"] == "out/demo"
    assert calls[0]["recipe"].name == "demo"
    lines = [re.sub(r"[│┃\s]+", " ", line.replace("\u00a0", "")).strip() for line in out.splitlines()]
    assert "dclm 1,000 900 90.0% 4 4.00MB 1.00M 1,800 1.80M" in lines
    assert "all 2,000 1,800 90.0% 8 8.00MB 2.00M 3,600 3.60M" in lines
    assert "exact_dedup 96 96 192" in lines
    assert "exact_dedup.duplicate 96 96 192" in lines
    assert lines[-2:] == ["output: out/demo", "report: out/demo/report/index.html"]


def test_options_reach_the_run(curate, recipe: str, running) -> None:
    calls = running(lambda out, progress: Result(out, STATS, 0))
    code, _, _ = curate(
        *("run", recipe, "-o", "there", "--workers", "3", "--engine", "local", "--device", "cpu"),
        *("--batch-documents", "99", "--fresh", "--set", "max_bad=5", "--set", "sources.dclm.path=[a, b]"),
    )
    assert code == 0
    (call,) = calls
    assert {key: call[key] for key in ("out", "workers", "engine", "device", "batch_documents", "fresh")} == {
        "out": "there",
        "workers": 3,
        "engine": "local",
        "device": "cpu",
        "batch_documents": 99,
        "fresh": True,
    }
    assert call["recipe"].max_bad == 5
    assert call["recipe"].sources[0].path == ("a", "b")


def test_options_of_clusters_reach_the_run(curate, recipe: str, running) -> None:
    calls = running(lambda out, progress: Result(out, STATS, 0))
    code, _, _ = curate(
        *("run", recipe, "--engine", "dask", "--address", "tcp://head:8786", "--scheduler-file", "s.json"),
        *("--dashboard", "--metrics-port", "9100"),
    )
    assert code == 0
    (call,) = calls
    assert {
        key: call[key] for key in ("engine", "address", "scheduler_file", "dashboard", "metrics_port")
    } == {
        "engine": "dask",
        "address": "tcp://head:8786",
        "scheduler_file": "s.json",
        "dashboard": True,
        "metrics_port": 9100,
    }


def test_an_option_that_does_not_fit_the_engine(curate, recipe: str) -> None:
    code, out, err = curate("run", recipe, "--address", "tcp://head:8786")
    assert (code, out) == (1, "")
    assert err == "--address: means nothing to --engine local\n  expected: --engine dask or ray\n"


def test_more_unreadable_documents_than_allowed(curate, recipe: str, running) -> None:
    running(lambda out, progress: Result(out, STATS, 4))
    code, out, err = curate("run", recipe)
    assert code == 1
    assert "output: out/demo" in out
    assert "out/demo/quarantine: 4 documents could not be read" in err
    assert "expected: at most 3 (max_bad)" in err


def test_errors_are_one_block(curate, recipe: str, running) -> None:
    problems = [
        Problem("source [bold]dclm", "lost 60 %", "at most 50 %", "look at the report"),
        Problem("fuzzy_dedup", "a cluster of 9 documents"),
    ]
    running(raising(GuardError(*problems)))
    code, out, err = curate("run", recipe)
    assert (code, out) == (1, "")
    assert err == (
        "2 problems (guard)\n"
        "source [bold]dclm: lost 60 %\n  expected: at most 50 %\n  to do: look at the report\n"
        "fuzzy_dedup: a cluster of 9 documents\n"
    )


def test_json_logs_hold_errors_too(curate, recipe: str, running) -> None:
    running(raising(GuardError(Problem("source dclm", "lost 60 %", "at most 50 %", "look at the report"))))
    code, out, err = curate("run", recipe, "--json-logs")
    (told,) = (json.loads(line) for line in err.splitlines())
    assert (code, out, told["event"], told["kind"]) == (1, "", "error", "guard")
    expected = {
        "where": "source dclm",
        "found": "lost 60 %",
        "expected": "at most 50 %",
        "fix": "look at the report",
    }
    assert told["problems"] == [expected]
    running(raising(KeyError("layer")))
    code, _, err = curate("run", recipe, "--json-logs")
    assert (code, json.loads(err)["kind"]) == (2, "defect")
    running(lambda out, progress: Result(out, STATS, 0))
    code, out, err = curate("run", recipe, "--json-logs")
    assert (code, json.loads(err)["event"], json.loads(err)["documents"]) == (0, "finished", 2000)
    assert "output: out/demo" in out
    assert "give --quiet or --json-logs" in curate("run", recipe, "--json-logs", "--quiet")[2]


def test_a_wrong_recipe(curate, recipe: str) -> None:
    Path(recipe).write_text(RECIPE.replace("exact_dedup", "exact_dedupe") + "maxbad: 3\n")
    code, out, err = curate("run", recipe)
    assert (code, out) == (1, "")
    assert "2 problems (recipe)" in err
    assert "recipe.yaml:3: stages.exact_dedupe: no stage is called exact_dedupe" in err
    assert "recipe.yaml:5: maxbad: unknown key\n  to do: did you mean max_bad?" in err


def test_a_recipe_that_is_not_there(curate, recipe: str) -> None:
    code, _, err = curate("plan", "nosuch.yaml")
    assert (code, err) == (
        1,
        "nosuch.yaml: cannot be read: No such file or directory\n  expected: a recipe (YAML)\n",
    )


@pytest.mark.parametrize("debug", [False, True])
def test_defects_show_a_traceback_on_demand_only(curate, recipe: str, running, debug: bool) -> None:
    running(raising(KeyError("layer")))
    code, out, err = curate("run", recipe, *(["--debug"] if debug else []))
    assert (code, out) == (2, "")
    assert "a defect of curate: KeyError: 'layer'" in err
    assert ("Traceback" in err) == debug
    assert ("--debug" in err) == (not debug)


def test_trouble_of_the_machine_is_no_defect(curate, recipe: str, running) -> None:
    running(raising(OSError(28, "No space left on device", "out/demo/run/x")))
    code, _, err = curate("run", recipe)
    assert (code, err) == (1, "out/demo/run/x: No space left on device\n")
    running(raising(OSError(9, "Bad file descriptor")))
    assert curate("run", recipe)[0] == 2


def test_an_interrupt(curate, recipe: str, running) -> None:
    running(raising(KeyboardInterrupt()))
    code, _, err = curate("run", recipe)
    assert code == 130
    assert "interrupted" in err
    assert "Traceback" not in err


def test_an_interrupt_by_signal(recipe: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import importlib, signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored where a shell runs the tests with &
        "module = importlib.import_module('curate.run')\n"
        "def run(recipe, out, progress, **options):\n"
        "    progress.note('started')\n"
        "    time.sleep(60)\n"
        "module.run = run\n"
        "from curate.cli import main\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "main.py", "run", recipe], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument 'RECIPE'"),
        (["walk"], "No such command 'walk'"),
        (["run", "x", "--workers", "0"], "Invalid value for '--workers'"),
        (["run", "x", "--wrokers", "1"], "No such option: --wrokers"),
        (["explain", "out"], "Invalid value: give a document or --random"),
    ],
)
def test_wrong_use(curate, arguments: list[str], message: str) -> None:
    code, out, err = curate(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"curate: {message}")


def test_no_arguments_show_the_verbs(curate) -> None:
    _, out, err = curate()
    for verb in ("run", "plan", "report", "explain", "verify", "clean", "synth"):
        assert verb in out + err
    assert curate("--help")[0] == 0


@pytest.mark.parametrize("verb", ["report", "verify", "clean"])
def test_verbs_of_a_finished_run_say_where_there_is_none(curate, tmp_path: Path, verb: str) -> None:
    code, _, err = curate(verb, str(tmp_path / "nothing"))
    assert code == 1
    assert "nothing" in err
    assert curate("explain", str(tmp_path / "nothing"), "x")[0] == 1


def test_sample_corpora_are_made_on_first_use(curate, recipe: str, running, monkeypatch) -> None:
    monkeypatch.setattr(cli, "SAMPLE_DOCUMENTS", 40)
    running(lambda out, progress: Result(out, STATS, 0))
    Path(recipe).write_text(RECIPE.replace('"*.parquet"', "synth/dclm/**/*.parquet"))
    code, _, err = curate("run", recipe)
    assert code == 0
    assert "sample corpora in synth: 40 documents" in err
    assert Path("synth/truth.parquet").exists()
    assert sorted(path.name for path in Path().iterdir()) == ["recipe.yaml", "synth"]
    code, _, err = curate("run", recipe, "--quiet")
    assert (code, err) == (0, "")


def test_sample_corpora_are_not_made_where_they_are_not_read(curate, recipe: str, running) -> None:
    running(lambda out, progress: Result(out, STATS, 0))
    Path(recipe).write_text(RECIPE.replace('"*.parquet"', "/synth/dclm/**/*.parquet"))
    assert curate("run", recipe)[0] == 0
    assert not Path("synth").exists()


def test_everything_from_synth_to_clean(curate, recipe: str) -> None:
    assert curate("synth", "corpora", "--documents", "300", "--seed", "7", "--quiet")[0::2] == (0, "")
    Path(recipe).write_text(
        "name: demo\nsources:\n"
        "  - {name: dclm, path: corpora/dclm/**/*.parquet}\n"
        "  - {name: zyda-1, path: corpora/zyda-1/**/*.parquet, id: nemo_id}\n"
        "stages: [where: {keep: bytes > 1000}, exact_dedup, fuzzy_dedup: {preset: zyda2}]\n"
        "mix: {weights: {dclm: 3, zyda-1: 1}}\n"
    )
    code, out, _ = curate("plan", recipe)
    assert code == 0
    assert "fuzzy_dedup" in out
    assert not Path("out").exists()
    code, out, err = curate("run", recipe)
    assert code == 0, err
    assert "where.not_kept" in out
    assert curate("verify", "out/demo") == (0, "out/demo: every checksum and count is right\n", "")
    code, shown, _ = curate("report", "out/demo")
    assert code == 0
    assert shown.partition("\nreport: ")[0] == out.partition("\noutput: ")[0]
    code, out, _ = curate("explain", "out/demo", "dclm:0:0")
    assert code == 0
    assert "where" in out
    assert curate("clean", "out/demo")[0] == 0
    assert not Path("out/demo/run").exists()
    assert curate("verify", "out/demo")[0] == 0


def test_help_is_quick_and_the_package_light() -> None:
    code = (
        "import sys\n"
        "import curate\n"
        "assert curate.__version__\n"
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'pydantic', 'yaml', 'rich', 'typer'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import curate.cli\n"
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_public_names_stay_functions_whatever_is_imported() -> None:
    code = (
        "import curate.run, curate.plan, curate.recipe\n"
        "import curate\n"
        "from curate import Ledger, Manifest, load_recipe, plan, run\n"
        "assert curate.run is run and callable(run) and callable(curate.plan)\n"
        "from curate.run import Result\n"
        "assert curate.run is run\n"
        "assert set(curate.__all__) <= set(dir(curate))\n"
        "try: curate.nosuch\n"
        "except AttributeError as error: assert 'nosuch' in str(error)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_explain_shows_drops_of_a_stage_picked_at_random(curate, tmp_path: Path) -> None:
    out = str(write_output(tmp_path))
    code, shown, _ = curate("explain", out, "--random", "--stage", "quality", "-n", "2")
    assert (code, shown.count("dropped by quality: quality.label")) == (0, 2)
    for wrong in ([], ["web:0:0", "--random"]):
        code, _, said = curate("explain", out, *wrong)
        assert (code, "a document or --random" in said) == (1, True)
