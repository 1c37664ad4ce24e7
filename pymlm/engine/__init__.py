"""The door to R: the only code of pymlm that knows rpy2. It knows no model and no result class."""

from __future__ import annotations

from pymlm.engine.calls import call
from pymlm.engine.r_thread import RObject
from pymlm.engine.to_r import Callback, Code, Column, Frame

__all__ = ["Callback", "Code", "Column", "Frame", "RObject", "call"]
