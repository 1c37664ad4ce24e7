"""Settings: one for the process, and others for the time of a `with` block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Literal

from pymlm.arguments import choice, strict

#: What computes Satterthwaite's and Kenward-Roger's degrees of freedom.
Engine = Literal["auto", "lmerTest", "exact"]
ENGINES: tuple[Engine, ...] = ("auto", "lmerTest", "exact")


class Options:
    """The settings of pymlm; there is one object of this kind, `pymlm.options`.

    An assignment holds for the whole process. ``with mlm.options(engine="exact"):`` holds inside
    the block, in this thread (or asyncio task) alone. Worker processes start with the defaults.

    Attributes
    ----------
    engine : {"auto", "lmerTest", "exact"}
        What computes Satterthwaite's and Kenward-Roger's degrees of freedom where a method is not
        told by its own ``engine=``. "lmerTest": lmerTest and pbkrtest. "exact": the closed forms
        of `pymlm.inference`. "auto", the default: lmerTest and pbkrtest where they are quick, the
        closed forms where those would be slow or impossible.

    Raises
    ------
    ArgumentError
        For a setting or value that there is not; near names are listed.

    Examples
    --------
    >>> import pymlm as mlm
    >>> with mlm.options(engine="exact"):
    ...     mlm.options.engine
    'exact'
    >>> mlm.options.engine
    'auto'
    """

    __slots__ = ("_engine", "_local_engine")

    def __init__(self) -> None:
        self._engine: Engine = "auto"
        self._local_engine: ContextVar[Engine | None] = ContextVar("pymlm_engine", default=None)

    @property
    def engine(self) -> Engine:
        """What computes degrees of freedom."""
        return self._local_engine.get() or self._engine

    @engine.setter
    def engine(self, value: str) -> None:
        self._engine = check_engine(value)

    @strict
    def __call__(self, engine: str | None = None) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that changes settings inside its block; None changes nothing."""
        return self._inside(self.engine if engine is None else check_engine(engine))

    @contextlib.contextmanager
    def _inside(self, engine: Engine) -> Iterator[None]:
        token = self._local_engine.set(engine)
        try:
            yield
        finally:
            self._local_engine.reset(token)

    def __repr__(self) -> str:
        return f"<pymlm.options engine={self.engine!r}>"


def check_engine(value: object) -> Engine:
    """Return an engine's name in its proper spelling."""
    return choice(value, ENGINES, "engine")


options = Options()
