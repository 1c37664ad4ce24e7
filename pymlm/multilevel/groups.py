"""Groups in data, as other folders ask for them: the door of this folder's tools."""

from __future__ import annotations

from pymlm.multilevel._tools import Groups, groups_of, names

__all__ = ["Groups", "groups_of", "names"]
