"""tidy, glance and augment."""

from __future__ import annotations

from pymlm.models.described import Described


class TableMethods(Described):
    """The model as broom.mixed tabulates it."""
