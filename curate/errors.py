"""The exceptions that `curate` raises on purpose. Anything else that escapes is a defect (exit code 2).

CurateError
├── RecipeError    the recipe is wrong: carries every problem found, not just the first
├── SourceError    an input is missing, unreadable or not of the shape the recipe says
├── ModelError     a model file is missing, corrupt or of an unsupported kind
├── OutputError    the output folder cannot be written, is in use, or fails verification
├── EngineError    tasks cannot be carried out where they were to be: an option, the cluster or its workers
└── GuardError     a guard of the recipe stopped the run before anything was written
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it is, what was found, what was expected and what to do."""

    where: str
    found: str
    expected: str = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.found}"]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.fix:
            lines.append(f"  to do: {self.fix}")
        return "\n".join(lines)


class CurateError(Exception):
    """Base of all errors raised on purpose; `problems` holds at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class RecipeError(CurateError):
    pass


class SourceError(CurateError):
    pass


class ModelError(CurateError):
    pass


class OutputError(CurateError):
    pass


class EngineError(CurateError):
    pass


class GuardError(CurateError):
    pass
