"""Text of results: R's own, asked of R for the digits that are wanted; of other tables, pandas'."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from pymlm.display import as_r_prints
from pymlm.errors import NotSupportedError
from pymlm.options import check_digits, options

R = TypeVar("R")

#: What R prints with where nothing is said: ``getOption("digits")``.
R_DIGITS = 7


class Printed:
    """Text that R prints for a result; asked of R when first needed, and kept.

    Pickling keeps the text, so a result can be read where there is no R.

    Attributes
    ----------
    digits : int or None
        Of R's ``options(digits =)``; None is `pymlm.options.digits`, or R's 7.
    """

    __slots__ = ("_render", "_texts", "digits")

    def __init__(
        self,
        text: str | None = None,
        render: Callable[[int | None], str] | None = None,
        digits: int | None = None,
    ) -> None:
        self.digits = digits
        self._render = render
        self._texts = {} if text is None else {digits or R_DIGITS: text}

    @classmethod
    def from_r(cls, found: Any) -> Printed:
        """Make it of an R object that shows it, or of R's text and the digits that it has."""
        if hasattr(found, "show"):
            return cls(render=found.show)
        out = cls()
        out._texts[int(found[1])] = found[0]
        return out

    def with_digits(self, digits: int | None) -> Printed:
        """The same with digits of its own; None changes nothing."""
        wanted = check_digits(digits)
        if wanted is None:
            return self
        self.at(wanted)  # says whether it can be had
        out = Printed(render=self._render, digits=wanted)
        out._texts = self._texts
        return out

    def at(self, digits: int) -> str:
        """Return the text under ``options(digits = digits)``; "" where R cannot print it.

        Raises
        ------
        NotSupportedError
            When there is only the text of other digits.
        """
        if digits not in self._texts:
            if self._render is None:
                had = ", ".join(map(str, self._texts))
                raise NotSupportedError(
                    f"of this print there is only R's text of {had} digits: its R object is gone "
                    f"or was never kept. Inside 'with mlm.options(digits={digits}):' ask the model "
                    "again"
                )
            self._texts[digits] = self._render(digits)
        return self._texts[digits]

    def __str__(self) -> str:
        digits = self.digits or options.digits or R_DIGITS
        try:
            return self.at(digits)
        except NotSupportedError:  # a pickle's text is as good as before
            had, text = next(iter(self._texts.items()))
            return f"{text}\n(printed with {had} digits, not {digits}: its R object is gone)"

    def __repr__(self) -> str:
        return "Printed(...)"

    def __reduce__(self) -> tuple[Callable[..., Printed], tuple[dict[int, str], int | None]]:
        text = str(self)  # asked of R, if it was not yet
        return _of_texts, (self._texts or {R_DIGITS: text}, self.digits)


def _of_texts(texts: dict[int, str], digits: int | None) -> Printed:
    out = Printed(digits=digits)
    out._texts = dict(texts)
    return out


def unsaid(notes: Iterable[str], text: object) -> list[str]:
    """Return the notes that do not stand in `text`, however it breaks its lines."""
    said = " ".join(str(text or "").split())
    return [n for n in dict.fromkeys(notes) if " ".join(n.split()) not in said]


def shown(frame: pd.DataFrame) -> str:
    """Return a frame as text in full width, long ones without their middle.

    Under `pymlm.options.digits` numbers look as R prints a data frame.
    """
    digits = options.digits
    if digits is not None:
        frame = frame.copy()
        for at in range(frame.shape[1]):
            values = frame.iloc[:, at]
            if pd.api.types.is_float_dtype(values.dtype):
                numbers = values.to_numpy(dtype=float, na_value=np.nan)
                frame.isetitem(at, as_r_prints(numbers, digits))
    return frame.to_string(
        max_rows=pd.get_option("display.max_rows"), min_rows=pd.get_option("display.min_rows")
    )


def in_digits(result: R, digits: int | None) -> R:
    """Return the same result, printed with `digits` wherever; None changes nothing."""
    printed = getattr(result, "printed", None)
    if printed is None or digits is None:
        return result
    changes: dict[str, Any] = {"printed": printed.with_digits(digits)}
    return dataclasses.replace(result, **changes)  # type: ignore[type-var]  # R is a dataclass
