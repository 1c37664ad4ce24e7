"""What makes a function a figure: matplotlib is there, keywords are known, errors leave none."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from pymlm.arguments import argument_checks, checked, refuse_unknown
from pymlm.errors import ArgumentError, MissingPackageError
from pymlm.plot._letters import as_written, texts_of

P = ParamSpec("P")
T = TypeVar("T")


def figure(main: str = "Line2D") -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a figure of a function: matplotlib is there, and its keywords are known.

    `main` is matplotlib's class of the main artist, which takes the keywords that the function
    does not name.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        known = [p.name for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        checks = functools.cache(lambda: argument_checks(function))

        @functools.wraps(function)
        def checked_figure(*args: P.args, **kwargs: P.kwargs) -> T:
            need_matplotlib()
            refuse_unknown(function.__name__, kwargs, [*known, *_keywords(main, kwargs, known)])
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise ArgumentError(f"{function.__name__}(): {error}") from None
            checked(bound.arguments, checks())
            before = texts_of([bound.arguments.get("ax"), *_listed(bound.arguments.get("axes"))])
            drawn = _or_nothing(lambda: function(*bound.args, **bound.kwargs))
            as_written(drawn, before, bound.arguments)
            return drawn

        return checked_figure

    return decorate


def _listed(axes: Any) -> list[Any]:
    return [] if axes is None else list(np.ravel(np.asarray(axes, dtype=object)))


def _or_nothing(draw: Callable[[], T]) -> T:
    """Draw; of a figure that fails half-way nothing is left open."""
    from matplotlib import pyplot

    before = set(pyplot.get_fignums())
    try:
        return draw()
    except BaseException:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)
        raise


def _keywords(main: str, given: Any, known: Sequence[str]) -> list[str]:
    """Matplotlib's keywords of the class `main`; looked up only where there are any."""
    if all(k in known for k in given):
        return []
    return list(_setters(main))


@functools.cache
def _setters(main: str) -> tuple[str, ...]:
    from matplotlib import artist, collections, lines, patches

    places = (lines, collections, patches)
    cls = next(getattr(p, main) for p in places if hasattr(p, main))
    found = artist.ArtistInspector(cls)
    aliases = [a for names in found.aliasd.values() for a in names]
    return (*found.get_setters(), *aliases)


def need_matplotlib() -> None:
    """Raise MissingPackageError, with the command that helps, where matplotlib is absent."""
    try:
        import matplotlib  # noqa: F401 - is it there?
    except ImportError:
        raise MissingPackageError(
            "figures need matplotlib, which is not installed: pip install 'pymlm[plot]' (or "
            "pip install matplotlib)"
        ) from None
