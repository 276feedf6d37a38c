"""YAML as plain values, each with the line it stands on.

YAML 1.2's core schema with one extension (underscores in whole numbers, 100_000): `no`, `off`, `1:30` and
`2024-01-01` are text, as people expect, where PyYAML's YAML 1.1 makes them a boolean, a number and a date.
Keys are always text. A key written twice is an error, where PyYAML keeps the last.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

#: Where in the document a value is: keys of mappings and places in lists.
Path = tuple[str | int, ...]


class YamlError(Exception):
    """The text is not YAML of the kind read here; line and column count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's name and form


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _starts = ["" if start == "\0" else start for start in _first]
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(f"^(?:{_pattern})$"), _starts)


@dataclass(frozen=True, slots=True)
class Yaml:
    """A YAML text as plain values.

    value: None, bool, int, float, str, list or dict with keys of text.
    lines: the line, from 1, of each value (of its key, in a mapping).
    problems: everything that is wrong short of a syntax error.
    """

    value: Any
    lines: dict[Path, int]
    problems: tuple[YamlError, ...]


def read_yaml(text: str) -> Yaml:
    """The value of a YAML text; None for an empty one. Raises YamlError for a syntax error."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(_in_words(error), line, column) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        column = error.position - before.rfind("\n")
        raise YamlError("a character that YAML does not allow", before.count("\n") + 1, column) from error
    reader = _Reader(loader)
    value = None if node is None else reader.value(node, ())
    return Yaml(value, reader.lines, tuple(reader.problems))


def _in_words(error: yaml.MarkedYAMLError) -> str:
    message = ", ".join(part for part in (error.context, error.problem) if part)
    if "cannot start any token" in message and r"'\t'" in message:
        return "a tab, where only spaces may indent"
    if "expected ',' or '}', but got '{'" in message:
        return f"{message}; between braces or brackets, put text with ${{...}} in quotes"
    if "alias" in message or "cannot start any token" in message:
        return f"{message}; put a value that begins with * & @ % or ` in quotes"
    return message


class _Reader:
    """Turns nodes into values and notes their lines and what is wrong with them."""

    def __init__(self, loader: _Loader) -> None:
        self.loader = loader
        self.lines: dict[Path, int] = {}
        self.problems: list[YamlError] = []
        self._open: set[int] = set()

    def value(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            return self._problem(node, "an alias inside the value that it stands for")
        self._open.add(id(node))
        if isinstance(node, SequenceNode):
            result: Any = [self.value(item, (*path, place)) for place, item in enumerate(node.value)]
        else:
            assert isinstance(node, MappingNode)
            result = self._mapping(node, path)
        self._open.remove(id(node))
        return result

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(YamlError(message, node.start_mark.line + 1, node.start_mark.column + 1))

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag.removeprefix(_TAG) not in {"null", "bool", "int", "float", "str"}:
            return self._problem(node, f"the tag {node.tag}, which a recipe cannot use")
        try:
            value = self.loader.construct_object(node)
        except (ValueError, KeyError):
            return self._problem(node, f"{node.value!r}, which does not fit its tag {node.tag}")
        if isinstance(value, float) and not math.isfinite(value):
            return self._problem(node, f"{node.value}, a number too large")
        return value

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        first_line: dict[str, int] = {}
        pairs = []
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self._problem(key, "a list or mapping as a key; text in braces or brackets needs quotes")
            elif key.value in first_line:
                self._problem(
                    key, f"the key {key.value} a second time: line {first_line[key.value]} has it already"
                )
            else:
                first_line[key.value] = key.start_mark.line + 1
                pairs.append((key, item))
        node.value = pairs
        try:
            self.loader.flatten_mapping(node)
        except yaml.MarkedYAMLError as error:
            self._problem(node, _in_words(error))
        result = {}
        for key, item in node.value:
            if isinstance(key, ScalarNode):
                self.lines[(*path, key.value)] = key.start_mark.line + 1
                result[key.value] = self.value(item, (*path, key.value))
        return result
