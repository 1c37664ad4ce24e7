"""Settings: one for the process, and others for the time of a `with` block."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from numbers import Integral
from typing import Any, Literal, get_args

from pymlm import tracebacks
from pymlm.argument_types import Engine, Frames, Tracebacks
from pymlm.arguments import choice, flag, strict
from pymlm.errors import ArgumentError, UnknownNameError, near_names

ENGINES: tuple[Engine, ...] = get_args(Engine)
FRAMES: tuple[Frames, ...] = get_args(Frames)


#: R's own limit.
MOST_DIGITS = 22


class _Setting:
    """A value for the process, and those that hold inside `with` blocks; checked when set."""

    def __init__(self, name: str, default: Any, check: Callable[[object], Any]) -> None:
        self.check = check
        self.everywhere = default
        self.inside: ContextVar[Any] = ContextVar(f"pymlm_{name}", default=None)

    @property
    def value(self) -> Any:
        local = self.inside.get()
        return self.everywhere if local is None else local


class Options:
    """The settings of pymlm; there is one object of this kind, `pymlm.options`.

    An assignment holds for the whole process. ``with mlm.options(engine="exact"):`` holds inside
    the block, in this thread (or asyncio task) alone. Worker processes start with the defaults.

    Attributes
    ----------
    engine : {"auto", "lmerTest", "exact"}
        What computes Satterthwaite's and Kenward-Roger's degrees of freedom where a method is not
        told by its own ``engine=``. "lmerTest": lmerTest and pbkrtest. "exact": the closed forms
        of ``pymlm.inference``. "auto", the default: lmerTest and pbkrtest where they are quick, the
        closed forms where those would be slow or impossible.
    advice : bool
        Give the advice on a design that a model carries in ``m.advice``, such as few groups, as an
        AdviceWarning at the fit, too. False, the default: crossed designs often have few groups
        for good reason.
    digits : int or None
        R's ``options(digits =)``, 1 to 22, of everything that is printed: what R prints is printed
        by R under it, other tables as R prints a data frame. None, the default, is R's 7, and
        pandas' own digits of other tables. Numbers in results are never rounded.
    frames : {"pandas", "same"}
        Whose frames and Series are given back. "pandas", the default. "same": those of the library
        that the model's data came in (Polars in, Polars out; PyArrow, too), for `to_frame`,
        `fitted`, `residuals`, `predict`, `simulate`, `augment`, ``ranef()["g"]``, `center` and what
        else is a table of a model or of data. Row names that are not just 0, 1, 2 ... become
        columns, the first ones: "term" of a table of coefficients, "level" of random effects, else
        "index".
    progress : bool or None
        Show how far long work is (bootstrap, profile, `fit_many`, long fits ...) after two seconds,
        by a bar that is gone when it is done; it needs ``pip install 'pymlm[progress]'``. None, the
        default: in a terminal and a notebook, not in files, pipes and CI. True and False: always
        and never. Inside ``with`` None is "auto".
    tracebacks : {"short", "full"}
        Of an error that pymlm raises on purpose: the user's own lines, the default, or every frame.

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

    __slots__ = ("_settings",)

    def __init__(self) -> None:
        self._settings = {
            "engine": _Setting("engine", "auto", check_engine),
            "advice": _Setting("advice", False, lambda value: flag(value, "advice")),
            "digits": _Setting("digits", None, check_digits),
            "frames": _Setting("frames", "pandas", check_frames),
            "progress": _Setting("progress", "auto", check_progress),
            "tracebacks": _Setting("tracebacks", "short", check_tracebacks),
        }

    @property
    def engine(self) -> Engine:
        """What computes degrees of freedom."""
        found: Engine = self._settings["engine"].value
        return found

    @engine.setter
    def engine(self, value: Engine) -> None:
        self._settings["engine"].everywhere = check_engine(value)

    @property
    def advice(self) -> bool:
        """Whether a fit gives the advice on its design as a warning."""
        found: bool = self._settings["advice"].value
        return found

    @advice.setter
    def advice(self, value: bool) -> None:
        self._settings["advice"].everywhere = flag(value, "advice")

    @property
    def digits(self) -> int | None:
        """Digits that are printed; None is R's 7."""
        found: int | None = self._settings["digits"].value
        return found

    @digits.setter
    def digits(self, value: int | None) -> None:
        self._settings["digits"].everywhere = check_digits(value)

    @property
    def frames(self) -> Frames:
        """Whose frames are given back."""
        found: Frames = self._settings["frames"].value
        return found

    @frames.setter
    def frames(self, value: str) -> None:
        self._settings["frames"].everywhere = check_frames(value)

    @property
    def progress(self) -> bool | None:
        """Whether long work shows a bar; None: where somebody looks."""
        found = self._settings["progress"].value
        return None if found == "auto" else bool(found)

    @progress.setter
    def progress(self, value: bool | str | None) -> None:
        self._settings["progress"].everywhere = check_progress(value)

    @property
    def tracebacks(self) -> Tracebacks:
        """Which frames a mistake shows."""
        found: Tracebacks = self._settings["tracebacks"].value
        return found

    @tracebacks.setter
    def tracebacks(self, value: str) -> None:
        self._settings["tracebacks"].everywhere = check_tracebacks(value)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_settings" and name not in self._settings:
            words = near_names(name, self._settings) or f" There are: {', '.join(self._settings)}."
            raise UnknownNameError(f"pymlm.options has no {name!r}.{words}", name)
        object.__setattr__(self, name, value)

    @strict
    def __call__(
        self,
        engine: Engine | None = None,
        advice: bool | None = None,
        digits: int | None = None,
        frames: Frames | None = None,
        progress: bool | Literal["auto"] | None = None,
        tracebacks: Tracebacks | None = None,
    ) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that changes settings inside its block; None changes nothing."""
        given = {
            "engine": engine, "advice": advice, "digits": check_digits(digits), "frames": frames,
            "progress": None if progress is None else check_progress(progress),
            "tracebacks": tracebacks,
        }  # fmt: skip
        return self._inside({name: value for name, value in given.items() if value is not None})

    @contextlib.contextmanager
    def _inside(self, values: dict[str, Any]) -> Iterator[None]:
        tokens = {name: self._settings[name].inside.set(value) for name, value in values.items()}
        try:
            yield
        finally:
            for name, token in tokens.items():
                self._settings[name].inside.reset(token)

    def __repr__(self) -> str:
        values = " ".join(f"{name}={s.value!r}" for name, s in self._settings.items())
        return f"<pymlm.options {values}>"


def check_engine(value: object) -> Engine:
    """Return an engine's name in its proper spelling."""
    return choice(value, ENGINES, "engine")


def check_digits(value: object) -> int | None:
    """Return digits that R can print with; None stays None."""
    if value is None:
        return None
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and 1 <= int(value) <= MOST_DIGITS:  # type: ignore[call-overload]  # it is whole
        return int(value)  # type: ignore[call-overload, no-any-return]
    raise ArgumentError(
        f"digits must be a whole number from 1 to {MOST_DIGITS}, as R's options(digits =), not "
        f"{value!r}"
    )


def check_frames(value: object) -> Frames:
    """Return whose frames are given back, in its proper spelling."""
    return choice(value, FRAMES, "frames")


def check_progress(value: object) -> bool | str:
    """Return whether to show bars; None is "auto"."""
    return "auto" if value is None or value == "auto" else flag(value, "progress")


def check_tracebacks(value: object) -> Tracebacks:
    """Return which frames a mistake shows, in its proper spelling."""
    found: Tracebacks = choice(value, get_args(Tracebacks), "tracebacks")
    return found


options = Options()
tracebacks.shows_all = lambda: options.tracebacks == "full"
