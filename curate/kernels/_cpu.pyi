# The extension's functions are called only from typed wrappers beside the arrays they take.
from typing import Any

def __getattr__(name: str) -> Any: ...
