"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="A recipe (YAML; docs/recipe.md).", show_default=False)
]
OutFolder = Annotated[str, typer.Argument(metavar="OUT", help="The output of a run.", show_default=False)]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replaces a value of the recipe, such as vars.data=/corpora or stages.fuzzy_dedup.bands=16; "
        "can be given again.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Tasks at a time. Default: the processor's cores.", show_default=False
    ),
]
RunFolder = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="OUT",
        help="The folder or URL to write to: a new one, or one that an earlier run wrote, which is taken up. "
        "Default: out/<name>.",
        show_default=False,
    ),
]
MemoryBound = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="What each worker may take, such as 512MB or 4GB. The local engine's workers share one process, which may "
        "then take so much times --workers. Default: 4GB.",
        show_default=False,
    ),
]
EngineName = Annotated[
    str,
    typer.Option(metavar="NAME", help="Where tasks run: local (threads), dask or ray (processes, clusters)."),
]
Device = Annotated[str, typer.Option(help="What stages compute on where they can: auto, cpu or gpu.")]
DeviceToPlan = Annotated[
    str, typer.Option(help="auto, cpu or gpu: where stages would compute; gpu also where there is none.")
]
DocumentsToPlan = Annotated[
    float | None,
    typer.Option(
        min=1,
        help="Costs for so many documents like those of the sample, such as 12e9.",
        show_default=False,
    ),
]
BytesToPlan = Annotated[
    float | None,
    typer.Option(
        "--bytes",
        min=1,
        metavar="B",
        help="Costs for so many bytes of text, such as 50e12.",
        show_default=False,
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A cluster that is there already: tcp://host:8786 (dask), host:6379 (ray). Default: processes of this "
        "machine.",
        show_default=False,
    ),
]
SchedulerFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="The file that a Dask scheduler wrote.", show_default=False),
]
Dashboard = Annotated[
    bool, typer.Option("--dashboard", help="Says where the engine's dashboard is (dask, ray).")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Starts over instead of resuming.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        metavar="PORT",
        help="Serves OUT/run/metrics.prom over HTTP during the run; 0 for any free port.",
        show_default=False,
    ),
]
BatchDocuments = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Documents that a task reads at a time, at most. Default: 16384, fewer where texts are long.",
        show_default=False,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Shows the traceback of a defect.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Shows errors and the result only.")]
JsonLogs = Annotated[
    bool,
    typer.Option(
        "--json-logs",
        help="Tells what happens as one JSON object a line on standard error (docs/watching.md).",
    ),
]
