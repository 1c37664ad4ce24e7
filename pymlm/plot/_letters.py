"""Text of figures as it stands in the data: ``$`` is a letter there, no mathematics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def texts_of(drawn: Any) -> dict[Any, str]:
    """Return every Text of the Axes that hold fixed words, and what it says."""
    from matplotlib.axes import Axes

    given = [a for a in np.ravel(np.asarray(drawn, dtype=object)) if isinstance(a, Axes)]
    return {text: text.get_text() for ax in given for text in _texts(ax)}


def as_written(drawn: Any, before: Mapping[Any, str], given: Mapping[str, Any]) -> None:
    """Show the words of data and models letter by letter.

    Matplotlib sets what stands between two ``$`` as mathematics, or stops there. Words that the
    caller gave (`label`, `names`, titles of a dict of models) may be mathematics, and what stood
    on the Axes `before` is not touched.
    """
    own = set(_words(given))
    for text, says in texts_of(drawn).items():
        if "$" in says and says not in own and before.get(text) != says:
            text.set_parse_math(False)


def _texts(ax: Any) -> Iterator[Any]:
    from matplotlib import category, ticker

    fixed = (ticker.FixedFormatter, ticker.FuncFormatter, category.StrCategoryFormatter)
    yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
    legend = ax.get_legend()
    if legend is not None:
        yield from (legend.get_title(), *legend.get_texts())
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), fixed):
            yield from axis.get_ticklabels()


def _words(given: Mapping[str, Any]) -> Iterator[str]:
    """Words that a caller chose: of `label` and `names`, and the titles of models in a dict."""
    for name in ("label", "names", "m", "models"):
        value = given.get(name)
        several = value if isinstance(value, Mapping | list | tuple) else [value]
        for word in several:
            words = word if isinstance(word, Mapping) else [word]
            yield from (w for w in words if isinstance(w, str))
