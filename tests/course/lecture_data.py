"""The data of lecture S0, which every R has: nlme::bdf, in Python and in native R."""

from __future__ import annotations

import pandas as pd

import pymlm as mlm

#: Lines of native R that make the same frame `d`.
GPA_IN_R = """
b <- nlme::bdf
d <- data.frame(gpa = as.numeric(scale(b$langPOST)), ses = as.numeric(scale(b$ses)),
                clubs = as.numeric(scale(b$schoolSES)), schoolnr = factor(as.character(b$schoolNR)))
d$within <- d$ses - ave(d$ses, d$schoolnr); d$between <- ave(d$ses, d$schoolnr)
"""

#: Statistics of one fit on the same data by the same R: the round trip, and rounding in scale().
SAME_FIT = 1e-8
#: Two optimizations that start from data equal to the last bit or two agree to about this.
OPTIMIZED = 1e-5


def gpa() -> pd.DataFrame:
    """S0's data: gpa, ses, clubs (standardised), schoolnr."""
    b = mlm.load_dataset("nlme::bdf")
    columns = {"gpa": "langPOST", "ses": "ses", "clubs": "schoolSES"}
    out = {new: (b[old] - b[old].mean()) / b[old].std() for new, old in columns.items()}
    # schoolNR is an ordered factor in R; as a predictor it would get polynomial contrasts.
    return pd.DataFrame(out | {"schoolnr": b["schoolNR"].cat.as_unordered()})


def squeezed(text: str) -> list[str]:
    """Lines of a printed table, rules left out, one space between words."""
    rows = (" ".join(line.split()) for line in text.strip().splitlines())
    return [r for r in rows if r and not set(r) <= set("-+| ")]
