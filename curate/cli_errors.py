"""How a command ends: exit codes, and errors as one readable block or one line of JSON on standard error.

Exit codes: 0 done, 1 a problem of the data, the recipe or the command, 2 a defect of curate, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from curate.errors import Problem

DATA_PROBLEM, DEFECT, INTERRUPTED = 1, 2, 130

#: Trouble of the machine rather than of curate: no space, no permission, too many open files.
_ENVIRONMENT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
}


@contextmanager
def reporting(debug: bool, json_logs: bool = False) -> Iterator[None]:
    """Shows errors as the exit codes promise; json_logs: as `error` events (docs/watching.md)."""
    from curate.errors import CurateError, Problem
    from curate.io.files import remote_errors

    try:
        with remote_errors():
            yield
    except CurateError as error:
        kind = type(error).__name__.removesuffix("Error").lower()
        _show(error.problems, kind, json_logs)
        raise typer.Exit(DATA_PROBLEM) from error
    except KeyboardInterrupt as error:
        found = "interrupted; `curate run` goes on where a run stopped"
        if json_logs:
            _show([Problem("curate", found)], "interrupted", json_logs)
        else:
            typer.echo(f"\n{found}", err=True)
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said, not even by the flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(DATA_PROBLEM) from None
    except OSError as error:
        if error.errno not in _ENVIRONMENT:
            _defect(error, debug, json_logs)
        _show([Problem(str(error.filename or "the system"), str(error.strerror))], "system", json_logs)
        raise typer.Exit(DATA_PROBLEM) from error
    except typer.Exit:
        raise
    except Exception as error:
        _defect(error, debug, json_logs)


def _show(problems: Sequence[Problem], kind: str, json_logs: bool) -> None:
    from curate.display import error_console, failure
    from curate.display_run import write_event

    if json_logs:
        told = [
            {"where": each.where, "found": each.found, "expected": each.expected, "fix": each.fix}
            for each in problems
        ]
        write_event(sys.stderr, "error", {"kind": kind, "problems": told})
    else:
        error_console().print(failure(problems, f"{len(problems)} problems ({kind})"))


def _defect(error: Exception, debug: bool, json_logs: bool) -> NoReturn:
    """Tells of a defect of curate and leaves. Raises the exit."""
    from curate.errors import Problem

    said = f"{type(error).__name__}: {error}"
    if json_logs:
        _show([Problem("curate", said)], "defect", json_logs)
    if debug:
        import traceback

        traceback.print_exception(error)
    if not json_logs:
        typer.echo(f"a defect of curate: {said}{'' if debug else '; --debug shows where'}", err=True)
    raise typer.Exit(DEFECT) from error
