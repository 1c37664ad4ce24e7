"""Random effects: conditional modes and their standard deviations, and coefficients by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError
from pymlm.figures import figure_of
from pymlm.results.base import Floats, Printed, Result, check_known


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupModes:
    """Conditional modes of one grouping factor.

    Attributes
    ----------
    grpvar : str
    level : tuple of str, length l
    term : tuple of str, length k
    condval : ndarray, shape (l, k)
        Conditional modes, deviations from the fixed effects, on the scale of the linear predictor.
    condsd : ndarray, shape (l, k), or None
        Conditional standard deviations.
    condcov : ndarray, shape (l, k, k), or None
        Conditional covariance matrices, one a level: R's attribute "postVar" with levels first.
    """

    grpvar: str
    level: tuple[str, ...]
    term: tuple[str, ...]
    condval: Floats
    condsd: Floats | None = None
    condcov: Floats | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the modes, one row a level, one column a term."""
        return pd.DataFrame(
            np.array(self.condval), index=pd.Index(list(self.level), dtype=object),
            columns=list(self.term),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RandomEffects(Result):
    """Conditional modes (BLUPs) of the random effects; ``effects["Subject"]`` is one factor's.

    ``len`` and loops are of the rows of the long form, as for other results; `keys` has the
    factors.

    Attributes
    ----------
    groups : tuple of GroupModes
        One per grouping factor, in R's order.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``ranef(model, condVar = TRUE)`` of lme4; Bates et al. 2015,
    doi:10.18637/jss.v067.i01. The conditional SD takes the covariance parameters as known.
    """

    plot = figure_of("caterpillar")

    groups: tuple[GroupModes, ...]
    printed: Printed | None = None

    def __getitem__(self, key: Any) -> Any:
        """One factor's modes; what is no text is a row, or rows, of the long form."""
        return self.group(key).to_frame() if isinstance(key, str) else Result.__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.keys())

    def keys(self) -> tuple[str, ...]:
        """Names of the grouping factors."""
        return tuple(g.grpvar for g in self.groups)

    def group(self, name: str) -> GroupModes:
        """Return one grouping factor's modes and SDs; ArgumentError when there is none such."""
        check_known(name, self.keys(), "grouping factor")
        return next(g for g in self.groups if g.grpvar == name)

    def covariances(self, name: str | None = None) -> pd.DataFrame:
        """Return the conditional covariance matrices of one factor's modes.

        Parameters
        ----------
        name : str, optional
            The grouping factor; not needed where there is one.

        Returns
        -------
        DataFrame
            Rows (level, term), columns terms, squared units of the linear predictor:
            ``m.ranef().covariances("Subject").loc["308"]`` is a level's matrix.

        Raises
        ------
        ArgumentError
            For a factor that the model has not, several without a name, or modes that were asked
            for without variances.

        Notes
        -----
        ``attr(ranef(model)$g, "postVar")``, with the covariance parameters taken as known. Where a
        factor has several terms, ``(1 | g) + (0 + x | g)``, R leaves out what is between the terms;
        here it stands: σ² Λ(Λ'Z'WZΛ + I)⁻¹Λ', Bates et al. 2015, doi:10.18637/jss.v067.i01.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.ranef().covariances("Subject").loc["308"].round(2)
                     (Intercept)   Days
        (Intercept)       145.71 -21.44
        Days              -21.44   5.31
        """
        if name is None and len(self.groups) > 1:
            raise ArgumentError(f"say of which grouping factor: {', '.join(self.keys())}")
        g = self.groups[0] if name is None else self.group(name)
        if g.condcov is None:
            raise ArgumentError(
                "these modes were asked for without their variances: m.ranef(cond_var=True)"
            )
        index = pd.MultiIndex.from_product([list(g.level), list(g.term)], names=["grp", None])
        return pd.DataFrame(
            g.condcov.reshape(-1, len(g.term)).copy(), index=index, columns=list(g.term)
        )

    def to_frame(self) -> pd.DataFrame:
        """Return R's long form: grpvar, term, grp, condval, condsd."""
        parts = []
        for g in self.groups:
            levels, terms = len(g.level), len(g.term)
            sd = np.full((levels, terms), np.nan) if g.condsd is None else g.condsd
            parts.append(
                pd.DataFrame(
                    {
                        "grpvar": g.grpvar,
                        "term": np.repeat(np.array(g.term, dtype=object), levels),
                        "grp": np.tile(np.array(g.level, dtype=object), terms),
                        "condval": g.condval.ravel(order="F"),
                        "condsd": sd.ravel(order="F"),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCoefficients:
    """Coefficients of one grouping factor: fixed effects plus conditional modes."""

    grpvar: str
    level: tuple[str, ...]
    term: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """What ``coef(model)`` answers."""

    groups: tuple[GroupCoefficients, ...]

    def to_dict(self) -> dict[str, pd.DataFrame]:
        """Return a fresh DataFrame per grouping factor."""
        return {
            g.grpvar: pd.DataFrame(
                np.array(g.values), index=pd.Index(list(g.level), dtype=object),
                columns=list(g.term),
            )
            for g in self.groups
        }  # fmt: skip
