"""Arrow values as JSON: what JSON lines and MDS shards write for the columns that sources keep."""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any

import orjson


def json_bytes(value: object) -> bytes:
    """UTF-8 JSON without spaces. Times become ISO 8601 text, decimals text, bytes base64, NaN and infinities null."""
    return orjson.dumps(value, default=_as_json, option=orjson.OPT_NON_STR_KEYS)


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
