"""What summary(model) says of a generalized linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass

from pymlm.escape import html_paragraph
from pymlm.results.summary import Summary


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlmmSummary(Summary):
    """Summary of a generalized linear mixed model; ``print(summary)`` is what R prints.

    Every number in `fixed` and `varcorr` is on the scale of the linear predictor (`scale` is
    "link"): log-odds for a logit link, logarithms for a log link.

    Attributes
    ----------
    family, link : str
        As R names them, e.g. "binomial" and "logit".
    scale : str
        "link".
    use_hessian : bool or None
        Whether the standard errors come from the Hessian; None is R's choice: yes, where there is
        one.

    Notes
    -----
    Mirrors ``summary(model, use.hessian =)`` of lme4; the other attributes are as in `Summary`.
    The matrix `correlation` comes from the Hessian whatever `use_hessian` says, as in R's print
    (lme4 1.1-31).
    """

    family: str
    link: str
    scale: str = "link"
    use_hessian: bool | None = None

    def _repr_html_(self) -> str:
        # The base class by name: a slotted dataclass has no working super().
        shown = Summary._repr_html_(self)
        said = f"Family: {self.family} ({self.link}); estimates on the link scale"
        return html_paragraph(said) + shown
