"""Replaces e-mail addresses, IP addresses and telephone numbers by placeholders; docs/redact.md defines them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.kernels import Texts, _cpu
from curate.kernels.choice import kernels_on
from curate.kernels.interface import Redacted
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts

_EMAIL, _IPV4, _IPV6, _PHONE = range(4)


class RedactConfig(StageConfig):
    """Keys of `redact`."""

    emails: bool = Field(default=True, description="Whether e-mail addresses are replaced.")
    ips: Literal["public", "all", "none"] = Field(
        default="public",
        description="Which IPv4 and IPv6 addresses are replaced; public (as FineWeb): not those of private networks, "
        "of the machine itself, of documentation.",
    )
    phones: bool = Field(
        default=False,
        description="Whether telephone numbers are replaced (off: other numbers look like them).",
    )
    email_placeholder: str = Field(
        default="email@example.com", description="As FineWeb; RFC 2606 reserves it."
    )
    ipv4_placeholder: str = Field(
        default="192.0.2.1", description="Of TEST-NET-1, RFC 5737: nobody's address."
    )
    ipv6_placeholder: str = Field(default="2001:db8::1", description="Of the documentation prefix, RFC 3849.")
    phone_placeholder: str = Field(default="+1-202-555-0100", description="Of the numbers kept for fiction.")

    @model_validator(mode="after")
    def _something_is_replaced(self) -> RedactConfig:
        if not self.emails and self.ips == "none" and not self.phones:
            raise ValueError("emails, ips and phones are all off: nothing is left to replace")
        return self


class Redact(DocumentStage):
    """The document stage `redact`: it drops nothing, edits texts and counts what it replaced."""

    Config = RedactConfig
    rules = ()
    edits = True

    def __init__(self, config: RedactConfig) -> None:
        self.config = config
        self._what = Redacted(config.emails, config.ips != "none", config.ips == "all", config.phones)
        self._counted = {
            name: kinds
            for name, kinds in {
                "redacted_emails": [_EMAIL] * config.emails,
                "redacted_ips": [_IPV4, _IPV6] * (config.ips != "none"),
                "redacted_phones": [_PHONE] * config.phones,
            }.items()
            if kinds
        }
        self.columns = pa.schema([(name, pa.int64()) for name in self._counted])

    def definition(self) -> dict[str, object]:
        return self.config.model_dump(mode="json", exclude={"name", "sources"})

    def on_gpu(self) -> str | None:
        return "counts"

    def on_cpu_beside_gpu(self) -> str | None:
        return "placeholders"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        counts = self._counts(batch.texts, rows)
        columns = {name: pa.array(counts[:, kinds].sum(axis=1)) for name, kinds in self._counted.items()}
        return Verdicts(np.full(len(rows), -1, np.int16), np.full(len(rows), np.nan), columns)

    def edit(self, texts: Texts, rows: NDArray[np.int64]) -> Texts:
        found = rows[self._counts(texts, rows).any(axis=1)]
        if not len(found):
            return texts
        config = self.config
        placeholders = [
            config.email_placeholder,
            config.ipv4_placeholder,
            config.ipv6_placeholder,
            config.phone_placeholder,
        ]
        on_host, places = texts.on_host(found)
        data, offsets = _cpu.redact_texts(
            on_host.data, on_host.offsets, places, **asdict(self._what), placeholders=placeholders
        )
        return kernels_on(self.device).replaced(texts, found, Texts(data, offsets), np.arange(len(found)))

    def _counts(self, texts: Texts, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Findings of each kind, int64, shape (rows, 4)."""
        rows = np.ascontiguousarray(rows, np.int64)
        return kernels_on(self.device).redact_counts(texts, rows, self._what)
