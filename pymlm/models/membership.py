"""Multiple-membership models: a row belongs to several units of one factor, with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NoReturn

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Data, Level, PerRow, RSeed, Timeout
from pymlm.arguments import refuse_unknown, strict
from pymlm.errors import ArgumentError, DataError, FormulaError, NotSupportedError
from pymlm.frames import as_pandas, prepare
from pymlm.models.advice import advised
from pymlm.models.control import LmerControl, as_control
from pymlm.models.derivatives import asks_exact, check_exactly
from pymlm.models.fitting import as_start, check_response, fit, make_task, warn_about
from pymlm.models.lmer import LinearMixedModel
from pymlm.models.membership_weights import check_weights, membership_weights
from pymlm.models.newdata import needed_columns, offset_column
from pymlm.results.fixed import NamedMatrix


class MultipleMembershipModel(LinearMixedModel):
    """A linear mixed model whose random effects are weighted over several units a row.

    Made by `pymlm.multiple_membership`. What lme4 could answer only by making Z anew from a column
    (which would be another model) raises NotSupportedError.
    """

    _updatable: ClassVar[tuple[str, ...]] = (
        *LinearMixedModel._updatable, "memberships", "normalize",
    )  # fmt: skip

    def memberships(self) -> dict[str, pd.DataFrame]:
        """Return the weights used: factor -> rows used by units.

        Examples
        --------
        >>> import pymlm as mlm
        >>> pupils = mlm.load_dataset("mlmRev::Exam")
        >>> pupils["second"] = pupils["school"].shift(1, fill_value="1")
        >>> m = mlm.multiple_membership(
        ...     "normexam ~ standLRT + (1 | attended)", pupils, {"attended": ["school", "second"]}
        ... )
        >>> m.memberships()["attended"].shape
        (4059, 65)
        """
        found: dict[str, NamedMatrix] = self._call("membership_weights", dict[str, NamedMatrix])
        return {k: v.to_frame(self._used_index) for k, v in found.items()}

    @strict
    def predict(  # type: ignore[override]  # no intervals here, so no second overload
        self,
        newdata: Data | None = None,
        re_form: str | None = None,
        type: Literal["response", "link"] = "response",
        allow_new_levels: bool = False,
        interval: None = None,
        level: Level = 0.95,
        memberships: Mapping[str, Any] | None = None,
    ) -> pd.Series:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
            Rows to predict for; with all random effects it needs `memberships`, too.
        re_form : {None, "NA"}
            All random effects, or none.
        type : {"response", "link"}
            The same for a linear model.
        allow_new_levels : bool
            Take units that the model has not seen at 0, the population mean.
        interval, level
            Not supported here: None.
        memberships : mapping, optional
            Weights of the new rows, as in `pymlm.multiple_membership`. Where the ids and weights
            were given there as columns, the same columns of `newdata` are read.

        Returns
        -------
        Series
            X b + Σ w u, on the index of `newdata` or of the data.

        Raises
        ------
        NotSupportedError
            For part of the random effects, further grouping factors with new data, or intervals.
        DataError
            For missing weights, and units that the model has not seen.
        """
        if interval is not None:
            raise NotSupportedError("predict() of a multiple-membership model has no intervals yet")
        if re_form not in (None, "NA"):
            raise NotSupportedError(
                "predict() of a multiple-membership model takes re_form=None (all random effects) "
                "or 'NA' (none); add up m.ranef() and m.memberships() for part of them"
            )
        if newdata is None or re_form == "NA":
            return super().predict(newdata, re_form, type, allow_new_levels)
        if memberships is None and "memberships" not in self._source.arguments:
            raise ArgumentError("this model came from a file: give the new rows' memberships")
        given = self._source.arguments["memberships"] if memberships is None else memberships
        frame = as_pandas(newdata)
        others = set(self.ngroups) - set(given)
        if others:
            raise NotSupportedError(
                f"predict() with new data and the further grouping factor {sorted(others)[0]!r}; "
                "use re_form='NA' and add m.ranef() by hand"
            )
        beside = {*given, *self._own_formula.constants}
        names = [n for n in self._call("all_names", tuple[str, ...]) if n not in beside]
        offset = offset_column(self._call("offset_name", str | None), self._source)
        values = self._call(
            "predict_membership",
            newdata=prepare(needed_columns(frame, names, offset), keys=self._own_formula.keys),
            memberships=triplets(given, frame, self._source.arguments.get("normalize", False)),
            allow_new_levels=allow_new_levels,
        )
        return pd.Series(values, index=frame.index, name="predicted")

    @strict
    def simulate(
        self, nsim: Count = 1, seed: RSeed | None = None, re_form: str | None = None,
        use_u: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Draw new responses from the model, with new random effects in every draw.

        Parameters
        ----------
        nsim : int
            Number of draws.
        seed : int, optional
            Of R's generator.
        re_form, use_u
            Only None or "NA", and False: all random effects are drawn anew.

        Returns
        -------
        DataFrame
            X b + Z u + e with u and e drawn from the fitted distributions; columns sim_1 ... on the
            data's index, NaN where R dropped the row.
        """
        if re_form not in (None, "NA") or use_u:
            raise NotSupportedError("a multiple-membership model draws all random effects anew")
        values = np.asarray(self._call("simulate_membership", nsim=nsim, seed=seed))
        names = [f"sim_{i + 1}" for i in range(nsim)]
        return pd.DataFrame({n: self._by_row(values[:, i], n) for i, n in enumerate(names)})

    def _columns_of(self, formula: str) -> set[str]:
        return super()._columns_of(formula) - set(self._source.arguments.get("memberships", ()))

    def _prepare_exact(self, most_work: float | None) -> None:
        # "auto" then asks lmerTest, which gets this model's own deviance function.
        raise NotSupportedError(
            "the closed forms of engine='exact' need every row to lie in one unit; use "
            "engine='lmerTest'"
        )

    def bootstrap(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotSupportedError: bootMer would make Z anew; `simulate` and `refit` do not."""
        raise NotSupportedError(
            "lme4's bootMer would simulate from another Z; for a parametric bootstrap refit what "
            "m.simulate() draws: [m.refit(y).fixef() for y in draws]"
        )

    def step(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotSupportedError: lmerTest makes each model anew; `ranova` and `drop1` do not."""
        raise NotSupportedError(
            "lmerTest's step() has no deviance function of a multiple-membership model; take "
            "m.ranova() and m.drop1() one step at a time"
        )

    def influence(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotSupportedError: leave out a unit by fitting anew without its rows."""
        raise NotSupportedError(
            "influence() leaves out whole groups or rows of a column, which a membership factor is "
            "not; fit anew with pymlm.multiple_membership without the rows in question"
        )

    @strict
    def to_r(self, path: Any = None) -> NoReturn:
        """Raise NotSupportedError: no script of lme4 calls repeats this fit; `save` an .rds."""
        raise NotSupportedError(
            "a multiple-membership fit is not one call of lme4, so there is no script of it; "
            "m.save('m.rds') holds the model with the function that refits it in R"
        )


@strict
def multiple_membership(
    formula: str,
    data: Data,
    memberships: Mapping[str, Any],
    normalize: bool = False,
    reml: bool = True,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    contrasts: Mapping[str, Any] | None = None,
    control: Any = None,
    start: Sequence[float] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> MultipleMembershipModel:
    """Fit a linear mixed model whose rows belong to several units of a factor, with weights.

    y = X b + Σ_j w_ij u_j + e: pupils who attended several schools, areas and their neighbours
    (`pymlm.neighbour_weights`), egos and their alters.

    Parameters
    ----------
    formula : str
        An lme4 formula; a membership factor stands behind a bar under the name that `memberships`
        gives it: ``"y ~ x + (1 | school)"``. Slopes and further, ordinary factors may be added.
    data : DataFrame
        The other columns. None may bear the name of a membership factor.
    memberships : mapping
        Factor -> weights: a DataFrame or array of shape (n, J) with one column a unit; or a pair
        ``(ids, weights)`` of lists of columns of `data`; or a list of id columns (equal weights).
    normalize : bool
        Divide each row's weights by their sum, instead of refusing rows that do not sum to 1.
    reml, weights, offset, contrasts, control, start, data_name, trusted, timeout
        As in `pymlm.lmer`.

    Returns
    -------
    MultipleMembershipModel

    Raises
    ------
    DataError
        Weights that do not sum to 1, are negative or missing; a row without a unit.
    FormulaError, FitError, FitTimeout
        As in `pymlm.lmer`.

    Notes
    -----
    lme4's modular functions: lFormula, new rows of Zt, mkLmerDevfun, optimizeLmer, mkMerMod.
    Browne, Goldstein & Rasbash 2001, doi:10.1177/1471082X0100100202. lmerTest alone would refit
    by lmer() and give df of another model; here it gets the real deviance function.

    Examples
    --------
    >>> import pymlm as mlm
    >>> pupils = mlm.load_dataset("mlmRev::Exam")
    >>> pupils["second"] = pupils["school"].shift(1, fill_value="1")
    >>> m = mlm.multiple_membership(
    ...     "normexam ~ standLRT + (1 | attended)", pupils, {"attended": ["school", "second"]}
    ... )
    >>> m.ngroups
    {'attended': 65}
    """
    frame = as_pandas(data)
    _check_factors(memberships, frame)
    sent = triplets(memberships, frame, normalize)
    arguments = {
        "memberships": dict(memberships), "normalize": normalize, "weights": weights,
        "offset": offset, "contrasts": contrasts, "control": control, "data_name": data_name,
        "trusted": trusted, "reml": reml,
    }  # fmt: skip
    task = make_task(formula, frame, arguments, timeout, list(memberships), mixed=True)
    if not task.formula.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x + (1 | school)'")
    check_response(task.formula, frame)
    handle = fit(
        "fit_membership",
        task,
        memberships=sent,
        reml=reml,
        control=as_control(control, LmerControl),
        start=as_start(start),
    )
    model = advised(MultipleMembershipModel(handle, task.fitted_by(multiple_membership)))
    if asks_exact(control):
        model.__dict__["convergence"] = check_exactly(handle)
    warn_about(model.convergence)
    return model


def _check_factors(memberships: Any, data: pd.DataFrame) -> None:
    if not isinstance(memberships, Mapping) or not memberships:
        raise ArgumentError(
            "memberships maps a factor of the formula to its weights: {'school': (ids, weights)}"
        )
    for name in memberships:
        if name in map(str, data.columns):
            raise DataError(
                f"the data have a column {name!r}; a membership factor needs a name of its own, "
                "for it is made of weights and no column"
            )


def triplets(memberships: Mapping[str, Any], data: pd.DataFrame, normalize: bool) -> dict[str, Any]:
    """Return every factor's weights as R gets them: units, and the non-zero weights by place."""
    out = {}
    for name, given in memberships.items():
        w = _matrix(name, given, data, normalize)
        values = w.to_numpy()
        row, column = np.nonzero(values)
        out[str(name)] = {
            "unit": list(w.columns), "row": (row + 1).astype(np.int32),
            "column": (column + 1).astype(np.int32), "weight": values[row, column],
        }  # fmt: skip
    return out


def _matrix(name: str, given: Any, data: pd.DataFrame, normalize: bool) -> pd.DataFrame:
    what = f"the weights of {name!r}"
    if isinstance(given, pd.DataFrame):
        if len(given) != len(data) or not given.index.equals(data.index):
            raise DataError(f"{what} must have the index of the data: one row per row")
        if given.columns.map(str).duplicated().any():
            raise DataError(f"{what}: two columns are units of the same name")
        return check_weights(given, what, normalize)
    if isinstance(given, np.ndarray):
        if given.ndim != 2 or len(given) != len(data):
            raise DataError(f"{what} have shape {given.shape}; it must be ({len(data)}, units)")
        frame = pd.DataFrame(given, index=data.index, columns=range(1, given.shape[1] + 1))
        return check_weights(frame, what, normalize)
    if isinstance(given, Mapping):
        refuse_unknown(f"memberships[{name!r}]", given, ("ids", "weights"))
        given = (given.get("ids"), given.get("weights"))
    if isinstance(given, tuple) and len(given) == 2 and not isinstance(given[0], str):
        return membership_weights(data, given[0], given[1], normalize)
    if isinstance(given, (list, tuple)):
        return membership_weights(data, given, None, normalize)
    raise ArgumentError(
        f"memberships[{name!r}] is a DataFrame or array of weights, a pair (id columns, weight "
        f"columns) or a list of id columns, not {type(given).__name__}"
    )
