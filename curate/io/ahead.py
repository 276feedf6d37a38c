"""Reading ahead: the next item is made while the caller works on this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items in order, one of them made ahead in a thread of its own. What making one raises is raised in its place;
    nothing is made after the caller has stopped asking, but for the one under way."""
    source, context = iter(items), copy_context()

    def made() -> list[Item]:
        return list(islice(source, 1))

    with ThreadPoolExecutor(1, thread_name_prefix="curate-ahead") as thread:
        coming = thread.submit(context.run, made)
        while found := coming.result():
            coming = thread.submit(context.run, made)
            yield found[0]
