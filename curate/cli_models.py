"""`curate models`: what classifiers there are, fetching, training and measuring them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curate.cli_errors import reporting
from curate.cli_help import MODELS, epilog
from curate.cli_options import Debug

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A name of `curate models list`, a path or a hub id.", show_default=False
    ),
]

models_app = typer.Typer(
    help="Lists, fetches, trains and measures classifiers.", no_args_is_help=True, rich_markup_mode=None
)


@models_app.command(
    name="list", epilog=epilog(("curate models list", "names, kinds, licences, whether files are here"))
)
def list_models(debug: Debug = False) -> None:
    """Shows the models that recipes can call by name."""
    with reporting(debug):
        from curate.display import out_console
        from curate.display_models import listing

        out_console().print(listing())


@models_app.command(
    epilog=epilog(
        ("curate models fetch quality-default", "checks the model against its card, prints checksums"),
        environment=MODELS,
    )
)
def fetch(model: Model, debug: Debug = False) -> None:
    """Brings a model's files here, if need be, and checks them against its card."""
    with reporting(debug):
        from curate.models.registry import card_of, files_of, unpinned_warning

        card = card_of(model)
        files = files_of(card)
        for name, digest in files.sha256.items():
            typer.echo(f"{digest}  {files.path if files.path.is_file() else files.path / name}")
        warning = unpinned_warning(card)
        if warning:
            typer.echo(f"warning: {warning}", err=True)


@models_app.command(
    epilog=epilog(
        ("curate models train classifiers/quality-default.yaml --data synth", "trains on sample corpora"),
    )
)
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A training recipe (YAML).")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT.ftz", help="Default: <name>.ftz.", show_default=False),
    ] = None,
    data: Annotated[Path, typer.Option(help="The folder that the recipe's paths are below.")] = Path(),
    debug: Debug = False,
) -> None:
    """Trains a fastText classifier by RECIPE; writes the model and its card."""
    with reporting(debug):
        from curate.display import out_console
        from curate.display_models import trained
        from curate.models.train_labelled import train_by_recipe

        figures, path = train_by_recipe(recipe, data, out)
        out_console().print(trained(figures))
        typer.echo(f"model: {path}")


@models_app.command(
    name="eval",
    epilog=epilog(
        (
            "curate models eval quality-default labelled.parquet --positive good --plot plot.svg",
            "AUC, precision, recall and reliability on documents with a label column",
        ),
        environment=MODELS,
    ),
)
def evaluate_model(
    model: Model,
    files: Annotated[list[Path], typer.Argument(metavar="PARQUET...", help="Labelled documents.")],
    positive: Annotated[str, typer.Option(help="The value of the label column of good documents.")],
    label: Annotated[str, typer.Option(help="Column that holds the label.")] = "label",
    text: Annotated[str, typer.Option(help="Column that holds the text.")] = "text",
    score: Annotated[
        str | None,
        typer.Option(
            help="The model's label whose probability counts. Default: its card's.", show_default=False
        ),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Default: the card's, or the best F1 here.", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Writes the reliability plot (SVG).", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="Where a transformer computes: auto, cpu or gpu.")] = "auto",
    debug: Debug = False,
) -> None:
    """Measures MODEL on labelled documents: AUC, precision, recall, reliability."""
    with reporting(debug):
        from curate.display import out_console
        from curate.display_models import evaluation
        from curate.models.evaluation import reliability_plot
        from curate.models.measure import measure_files

        found = measure_files(model, files, text, label, positive, score, threshold, device)
        out_console().print(evaluation(found))
        if plot is not None:
            plot.write_text(reliability_plot(found, model), encoding="utf-8")
            typer.echo(f"plot: {plot}")
