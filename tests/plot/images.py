"""Reference images: ``python -m tests.plot.images`` draws them anew; look at them then.

Text is taken out, for fonts differ between machines, and with it what only makes room for text;
what is left is where data stand, and in which colours.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.text import Text

from tests.plot.figures import FIGURES, draw

FOLDER = Path(__file__).resolve().parent / "images"
DPI = 40


def render(name: str, path: Path) -> None:
    """Draw one of FIGURES, without text, into a small PNG."""
    with mpl.rc_context(mpl.rcParamsDefault):
        axes = np.ravel(np.asarray(draw(name), dtype=object))
        figure: Any = axes[0].figure
        figure.set_layout_engine("none")
        for text in figure.findobj(Text):
            text.set_visible(False)
        for ax in axes:
            if ax.get_legend():
                ax.get_legend().remove()
        figure.savefig(path, dpi=DPI, metadata={"Software": None})


def main() -> None:
    mpl.use("Agg")
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or sorted(FIGURES):
        render(name, FOLDER / f"{name}.png")
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
