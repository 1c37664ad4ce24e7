"""How residuals of lme and gls correlate, and how their variances differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.models.common_attributes import CommonAttributes


class ResidualStructureMethods(CommonAttributes):
    """Correlation and variances of the residuals of a model of nlme."""

    @strict
    def correlation(self) -> pd.Series:
        """Return the parameters of the residual correlation, e.g. Phi of AR(1); empty if none.

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("nlme::Orthodont")
        >>> m = mlm.gls("distance ~ age", data, correlation="ar1", group="Subject")
        >>> m.correlation().round(3).to_dict()
        {'Phi': 0.698}
        """
        return self._structure("correlation_name", "correlation")

    @strict
    def variance_ratios(self) -> pd.Series:
        """Return the ratios of residual variances to the reference group's: `sd_ratios` squared.

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("nlme::Orthodont")
        >>> m = mlm.gls("distance ~ age", data, variance_by="Sex")
        >>> m.variance_ratios().round(2).to_dict()
        {'Male': 1.0, 'Female': 1.1}
        """
        return self.sd_ratios() ** 2

    @strict
    def sd_ratios(self) -> pd.Series:
        """Return the ratios of residual standard deviations to the reference group's.

        As nlme prints them: ``coef(model$modelStruct$varStruct, unconstrained = FALSE)``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("nlme::Orthodont")
        >>> m = mlm.gls("distance ~ age", data, variance_by="Sex")
        >>> m.sd_ratios().round(2).to_dict()
        {'Male': 1.0, 'Female': 1.05}
        """
        return self._structure("ratio_name", "ratio")

    def _structure(self, names: str, name: str) -> pd.Series:
        found = self._call("nlme_structure")
        labels, numbers = list(found[names] or ()), np.asarray(found[name], dtype=float).ravel()
        if len(labels) != len(numbers):  # corSymm has no names
            labels = [f"cor{i + 1}" for i in range(len(numbers))]
        return pd.Series(numbers, index=labels, name=name, dtype=float)

    @strict
    def residual_covariance(self, group: str) -> pd.DataFrame:
        """Return the covariance matrix of one group's residuals, in the order of its rows.

        Parameters
        ----------
        group : str
            Level of the (innermost) grouping factor, "a/b" for nested ones.

        Raises
        ------
        ArgumentError
            For a group that there is not.

        Notes
        -----
        Mirrors ``getVarCov(model, individuals = group, type = "conditional")``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("nlme::Orthodont")
        >>> m = mlm.gls("distance ~ age", data, correlation="cs", group="Subject")
        >>> m.residual_covariance("M01").round(2).iloc[0].to_list()
        [6.52, 4.47, 4.47, 4.47]
        """
        known = self._call("nlme_groups", tuple[str, ...])
        if str(group) not in known:
            raise ArgumentError(f"no group {group!r}; the first are {', '.join(known[:5])}")
        return pd.DataFrame(self._call("nlme_residual_matrix", group=str(group)))
