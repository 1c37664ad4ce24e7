"""What an R model is that pymlm did not fit itself: its class, rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pymlm.engine import RObject, call
from pymlm.models.base import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    r_class: str
    kind: str
    data_name: str
    rows: tuple[str, ...]
    automatic: bool
    sent: tuple[str, ...]


def identified(handle: RObject) -> tuple[str, Source]:
    """Return the kind of an R model ("lmer", "lm", "lme" ...), and a source without its frame."""
    found: _Identity = call("identify", handle, into=_Identity)
    source = Source(index=_index(found), data=None, sent=found.sent, arguments={})
    return found.kind, source


def _index(found: _Identity) -> pd.Index:
    if found.automatic:
        return pd.RangeIndex(len(found.rows))
    return pd.Index(list(found.rows), dtype=object)
