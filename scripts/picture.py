"""Draw the picture at the head of the README: ``python scripts/picture.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

import pymlm as mlm

TARGET = Path(__file__).resolve().parent.parent / "docs" / "_static" / "pymlm.png"


def main() -> None:
    """Draw six figures of `pymlm.plot` on one sheet."""
    sleepstudy = mlm.load_dataset("sleepstudy")
    sleepstudy.attrs["units"] = {"Reaction": "ms"}
    exam = mlm.load_dataset("mlmRev::Exam")
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    cake = mlm.lmer(
        "angle ~ recipe * temperature + (1 | recipe:replicate)", mlm.load_dataset("cake")
    )
    moderated = mlm.lmer("normexam ~ standLRT * schavg + (standLRT | school)", exam)

    sheet, axes = plt.subplots(2, 3, figsize=(13, 7.4), layout="constrained")
    mlm.plot.group_lines(m, "Days", highlight="308", points=True, ax=axes[0, 0])
    mlm.plot.shrinkage(m, ax=axes[0, 1])
    mlm.plot.caterpillar(m, terms="Days", ax=axes[0, 2])
    mlm.plot.within_between(exam, "normexam", "standLRT", by="school", ax=axes[1, 0])
    mlm.plot.means(cake.emmeans(["temperature", "recipe"]), ax=axes[1, 1])
    mlm.plot.johnson_neyman(moderated, "schavg", "standLRT", ax=axes[1, 2])
    sheet.savefig(TARGET, dpi=80, metadata={"Software": None})


if __name__ == "__main__":
    main()
