"""What every fitted model answers, whatever fitted it; R dispatches on its class.

Each question stands once: here, or in the file of its kind that this class puts together. A class
of models has its own version only where the arguments differ.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pymlm.argument_types import Ddf, Engine, FixedOrRandom
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.figures import figure_of
from pymlm.models.bootstrap import BootstrapMethods
from pymlm.models.diagnostics import DiagnosticMethods
from pymlm.models.exact import KENWARD_ROGER
from pymlm.models.fixed_tests import FixedTestMethods
from pymlm.models.influence import InfluenceMethods
from pymlm.models.means import MeansMethods
from pymlm.models.reduction import ReductionMethods
from pymlm.models.refit import RefitMethods
from pymlm.models.script import write_script
from pymlm.models.simulation import SimulationMethods
from pymlm.models.tidy import TableMethods
from pymlm.models.update import UpdateMethods
from pymlm.results.fixed import NamedMatrix, NamedValues
from pymlm.results.varcorr import VarCorr


class Model(
    FixedTestMethods,
    ReductionMethods,
    MeansMethods,
    SimulationMethods,
    BootstrapMethods,
    DiagnosticMethods,
    InfluenceMethods,
    TableMethods,
    RefitMethods,
    UpdateMethods,
):
    """A fitted model; it never changes. What R cannot say of its class is a NotSupportedError."""

    plot = figure_of("check")

    @strict
    def fixef(self, add_dropped: bool = False) -> pd.Series:
        """Return the fixed effects, term -> estimate: ``fixef(model)``; those that are defined.

        Parameters
        ----------
        add_dropped : bool
            Those, too, whose columns R dropped for rank deficiency, as NaN, in their places:
            ``fixef(model, add.dropped = TRUE)``.

        Returns
        -------
        Series, length p
            In units of the response (of the link, for a GLMM) per unit of the predictor.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.fixef().round(2).to_dict()
        {'(Intercept)': 251.41, 'Days': 10.47}
        """
        return self._ask("fixef", NamedValues, add_dropped=add_dropped).to_series()

    @strict
    def vcov(
        self, ddf: Ddf | None = None, engine: Engine | None = None, full: bool = False
    ) -> pd.DataFrame:
        """Return the covariance matrix of the fixed effects, shape (p, p).

        Parameters
        ----------
        ddf : {None, "Kenward-Roger"}
            Kenward-Roger gives the small-sample adjusted matrix: ``pbkrtest::vcovAdj(model)``.
            Every other method uses ``vcov(model)``; a coefficient of an lm that is not defined has
            NaN.
        engine : {"auto", "lmerTest", "exact"}, optional
            As in `summary`.
        full : bool
            The joint covariance of the q random and the p fixed effects, shape (q + p, q + p): of
            the prediction errors of the conditional modes, named "Subject.308.Days", and of the
            estimates (Henderson 1975, doi:10.2307/2529430). Mirrors ``vcov(model, full = TRUE)`` of
            lme4 2, which is wrong for crossed factors; here with every lme4.

        Raises
        ------
        NotSupportedError
            For degrees of freedom that the class of the model has not; for full=True of a model
            without random effects of lme4's, or of a matrix beyond the memory.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.vcov().round(1).to_numpy().tolist()
        [[46.6, -1.5], [-1.5, 2.4]]
        """
        method = self._table_ddf(ddf)
        adjusted = method == KENWARD_ROGER
        if full:
            return self._joint_covariance("ddf", method if adjusted else None)
        if adjusted:
            return self._ask_ddf("vcov", NamedMatrix, engine, ddf=method).to_frame()
        return self._ask("vcov", NamedMatrix, ddf=method).to_frame()

    def _joint_covariance(self, name: str, other: object) -> pd.DataFrame:
        if other is not None:
            raise ArgumentError(f"full=True has no {name}={other!r}: it is of the fit as it is")
        return self._ask("full_vcov", NamedMatrix, keep=False).to_frame()

    @strict
    def model_matrix(self, type: FixedOrRandom = "fixed") -> pd.DataFrame:
        """Return the model matrix, one row per row used, on the data's index.

        Parameters
        ----------
        type : {"fixed", "random"}
            X, shape (n, p), or Z, shape (n, q), as a dense frame: ``model.matrix(model, type)``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.model_matrix().head(2).to_numpy().tolist()
        [[1.0, 0.0], [1.0, 1.0]]
        >>> m.model_matrix("random").shape
        (180, 36)
        """
        answer = self._ask("model_matrix", NamedMatrix, keep=False, type=type)
        return answer.to_frame(self._used_index)

    @strict
    def varcorr(self) -> VarCorr:
        """Return variances, covariances and correlations of the random effects: ``VarCorr``.

        Of `lme` it prints as nlme prints it, with the rows that lme4 would give; of `gls` it is the
        residual variance alone.

        Raises
        ------
        NotSupportedError
            For an lm or glm, which has no random effects.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.varcorr().matrix("Subject").round(1).loc["Days"].to_dict()
        {'(Intercept)': 9.6, 'Days': 35.1}
        """
        return self._ask("varcorr", VarCorr)

    @strict
    def fitted(self) -> pd.Series:
        """Return the fitted values, random effects included, on the data's index: ``fitted``.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.fitted().head(2).round(1).to_list()
        [253.7, 273.3]
        """
        return self._by_row(self._call("fitted_values"), "fitted")

    @strict
    def to_r(self, path: str | Path | None = None) -> str:
        """Return the R script that repeats the analysis.

        Parameters
        ----------
        path : path, optional
            Write the script there, and the data beside it: "analysis.R", "analysis-data.rds".
            Without it the script holds the data itself, so that it runs anywhere.

        Returns
        -------
        str
            The script.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.to_r().splitlines()[-1]
        'print(summary(model))'
        """
        return write_script(self._handle, path)
