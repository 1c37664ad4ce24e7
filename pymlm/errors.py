"""Every exception and warning that pymlm raises.

::

    PymlmError
    ├── RNotFoundError      R itself, or an rpy2 that fits it, cannot be loaded (ImportError)
    ├── RPackageError       an R package is missing or too old (ImportError)
    ├── MissingPackageError a Python package of one of the extras is missing (ImportError)
    ├── FormulaError        the formula cannot be read, or names what it must not (ValueError)
    ├── DataError           the data cannot cross to R as they are (ValueError)
    ├── ArgumentError       an argument that the function does not know (TypeError, ValueError)
    ├── ComparisonError     the models must not be compared (ValueError)
    ├── NotSupportedError   a quantity that is not defined for this model (ValueError)
    ├── RError              R stopped with an error; its message is kept whole (RuntimeError)
    │   └── FitError        ... while a model was being fitted
    ├── FitTimeout          the time limit was reached and R was stopped (TimeoutError)
    ├── UnknownNameError    a model, a result or the module has no such attribute (AttributeError)
    └── WorkersLost         worker processes died again and again on the same fits (RuntimeError)

    PymlmWarning (UserWarning)
    ├── ConvergenceWarning  lme4's convergence checks failed
    ├── SingularFitWarning  a variance is estimated as zero or a correlation as ±1
    ├── AdviceWarning       the numbers are right, but the design or data ask for care
    └── RWarning            any other warning that R gave

An unknown name is a FormulaError where it stands in a formula that is to be fitted, a DataError as
a column of data (``by="schol"``, ``weights="w"``) or one that new rows lack, and an ArgumentError
as a part of a model (term, coefficient, predictor, grouping factor, level) or an option; near names
are listed.

All of them pickle, so they survive the way back from a worker process.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable

from pymlm.tracebacks import in_ipython, is_ours

__all__ = [
    "AdviceWarning",
    "ArgumentError",
    "ComparisonError",
    "ConvergenceWarning",
    "DataError",
    "FitError",
    "FitTimeout",
    "FormulaError",
    "MissingPackageError",
    "NotSupportedError",
    "PymlmError",
    "PymlmWarning",
    "RError",
    "RNotFoundError",
    "RPackageError",
    "RWarning",
    "SingularFitWarning",
    "UnknownNameError",
    "WorkersLost",
]


class PymlmError(Exception):
    """Root of every error that pymlm raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What IPython and notebooks show: the user's line and the message."""
        return in_ipython(self)


class RNotFoundError(PymlmError, ImportError):
    """R, or an rpy2 that fits it, cannot be loaded; the message names the command that helps."""


class RPackageError(PymlmError, ImportError):
    """An R package is missing or too old; the message names the command that installs it."""


class MissingPackageError(PymlmError, ImportError):
    """A Python package of one of pymlm's extras is missing; the message names the pip command."""


class FormulaError(PymlmError, ValueError):
    """The formula cannot be parsed, calls something not allowed, or names unknown columns."""


class DataError(PymlmError, ValueError):
    """The data cannot be given to R without loss or ambiguity."""


class ArgumentError(PymlmError, TypeError, ValueError):
    """An argument that the function does not know, or a value that it cannot take."""


class ComparisonError(PymlmError, ValueError):
    """The models must not be compared in this way; the message says why and what to do."""


class NotSupportedError(PymlmError, ValueError):
    """The quantity is not defined, or not available, for this kind of model."""


class RError(PymlmError, RuntimeError):
    """R stopped with an error.

    Attributes
    ----------
    r_message : str
        R's own message, whole.
    r_call : str
        The R call that failed, shortened to one line; empty when R named none.
    """

    def __init__(self, message: str, r_message: str = "", r_call: str = "") -> None:
        super().__init__(message, r_message, r_call)
        self.r_message = r_message or message
        self.r_call = r_call

    def __str__(self) -> str:
        return str(self.args[0])


class FitError(RError):
    """R could not fit the model."""


class FitTimeout(PymlmError, TimeoutError):
    """The time limit was reached; R was stopped and can be used again."""


class UnknownNameError(PymlmError, AttributeError):
    """A model, a result or the module has no such attribute; what there is instead is said."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str]]:
        return UnknownNameError, (str(self.args[0]), self.name or "")


class WorkersLost(PymlmError, RuntimeError):
    """Worker processes died again and again on the same fits."""


class PymlmWarning(UserWarning):
    """Root of every warning that pymlm gives."""


class ConvergenceWarning(PymlmWarning):
    """The optimizer did not converge, or lme4's checks of gradient and Hessian failed."""


class SingularFitWarning(PymlmWarning):
    """The fit is singular: some variance is zero or some correlation is ±1."""


class AdviceWarning(PymlmWarning):
    """The numbers are right, but design or data ask for care: few groups, a smushed slope ..."""


class RWarning(PymlmWarning):
    """A warning that R gave, with R's own text."""


def near_names(name: object, known: Iterable[str], limit: int = 3) -> str:
    """Phrase the known names that resemble `name`, for the end of an error message.

    Returns
    -------
    str
        ``" Did you mean 'Days'?"``, or an empty string when nothing is near.
    """
    if not isinstance(name, str):
        return ""
    names = list(dict.fromkeys(str(k) for k in known))
    found = difflib.get_close_matches(name, names, n=limit, cutoff=0.6)
    same = {_letters(n): n for n in names}.get(_letters(name))
    if same is not None and same != name:
        found = [same, *(n for n in found if n != same)][:limit]
    if not found:
        return ""
    return " Did you mean " + " or ".join(repr(n) for n in found) + "?"


def _letters(name: str) -> str:
    """Return a name without case, dots and underscores: R's nAGQ is n_agq here."""
    return name.casefold().replace("_", "").replace(".", "")


def warn(text: str, category: type[PymlmWarning]) -> None:
    """Give a warning that points at the user's line, however deep in pymlm it arises."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)
