"""A linear mixed model that scikit-learn can clone, search over and cross-validate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from pymlm.arguments import choice, flag
from pymlm.errors import AdviceWarning, ArgumentError, DataError, near_names, warn
from pymlm.formula import vet
from pymlm.frames import as_pandas
from pymlm.models.control import LmerControl
from pymlm.models.lm import LinearModel, lm
from pymlm.models.lmer import lmer
from pymlm.results.base import Floats

Unseen = Literal["population", "nan", "error"]

#: Names that a formula has for y and for the argument `groups` where the user gives none.
_Y, _GROUPS = ".y", "groups"


# scikit-learn ships no types, so its bases are Any to mypy.
class MixedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A linear mixed model, fitted by `pymlm.lmer`, as a scikit-learn regressor.

    Parameters
    ----------
    formula : str, optional
        The model in the names of X's columns (``x0``, ``x1`` ... of an array), with or without a
        left side: ``"score ~ ses + (ses | school)"``. The argument `groups` of `fit` is the column
        ``groups``. Without a formula every column of X is a predictor, and `random` varies by
        group.
    groups : str or int, optional
        The column of X that holds the groups, by name (by position in an array); no predictor.
        Otherwise they are the argument `groups` of `fit`.
    random : str
        What varies by group, where there is no formula: "1" the intercept, "1 + ses" a slope, too.
    reml : bool
    control : LmerControl or dict, optional
        As in `pymlm.lmer`.
    unseen : {"population", "nan", "error"}
        What `predict` says of groups that the fit has not seen: the population's mean given X, NaN,
        or a DataError. Folds by group need the first.

    Attributes
    ----------
    model_ : LinearMixedModel, or LinearModel where there are no groups
        The fitted model, with all that pymlm answers: ``est.model_.summary()``.
    fixef_ : Series
        The fixed effects.
    formula_ : str
        The model that was fitted.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Their names, where X is a frame with text as its columns' names.

    Notes
    -----
    ``score`` is R² of the predictions, as scikit-learn defines it. ``cross_val_score(est, X, y,
    groups=g, cv=GroupKFold())`` gives `groups` to the folds alone; the fit finds its groups in the
    column `groups` of X, or by metadata routing (``est.set_fit_request(groups=True)``). Rows with
    missing values are refused, as scikit-learn does: impute or drop them first.

    Examples
    --------
    >>> import pymlm as mlm
    >>> sleep = mlm.load_dataset("sleepstudy")
    >>> X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    >>> est = mlm.sklearn.MixedRegressor(groups="Subject", random="1 + Days").fit(X, y)
    >>> est.formula_
    '.y ~ Days + (1 + Days | Subject)'
    >>> round(est.score(X, y), 3)
    0.826
    """

    def __init__(
        self, formula: str | None = None, *, groups: str | int | None = None, random: str = "1",
        reml: bool = True, control: LmerControl | Mapping[str, Any] | None = None,
        unseen: Unseen = "population",
    ) -> None:  # fmt: skip
        self.formula = formula
        self.groups = groups
        self.random = random
        self.reml = reml
        self.control = control
        self.unseen = unseen

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : frame or array, shape (n, p)
            A frame may hold categories and text.
        y : array-like, shape (n,)
        groups : array-like, shape (n,), optional
            The groups of the rows.
        sample_weight : array-like, shape (n,), optional
            Prior weights; rows with weight 0 are left out.

        Returns
        -------
        MixedRegressor
            Itself.

        Raises
        ------
        ValueError
            For X and y that scikit-learn refuses, an unknown column, groups given twice, and as
            `pymlm.lmer` (its errors are ValueErrors and RuntimeErrors).

        Warns
        -----
        AdviceWarning
            Without groups: the model is then a linear model, fitted by `pymlm.lm`.
        """
        choice(self.unseen, ("population", "nan", "error"), "unseen")
        flag(self.reml, "reml")
        if y is None:
            raise DataError("MixedRegressor requires y to be passed, but the target y is None")
        data = self._frame(X, y, groups, reset=True)
        formula, response = self._written(data)
        data[response] = column_or_1d(_numbers(y), warn=True)
        weights = None
        if sample_weight is not None:
            numbers = _check_sample_weight(
                sample_weight, X if isinstance(X, np.ndarray) else data, ensure_non_negative=True
            )
            data, weights = data[numbers > 0], numbers[numbers > 0]
        mixed = vet(formula, columns=data.columns).n_bars > 0
        self.model_: Any
        if mixed:
            self.model_ = lmer(formula, data, reml=self.reml, weights=weights, control=self.control)
        else:
            if self.formula is None:
                warn(
                    "MixedRegressor: there are no groups, so this is a linear model without random "
                    "effects. Name their column, groups=, or give them to fit",
                    AdviceWarning,
                )
            self.model_ = lm(formula, data, weights=weights)
        self.formula_, self.fixef_ = formula, self.model_.fixef()
        return self

    def predict(self, X: Any, groups: Any = None) -> Floats:
        """Predict for rows: with the random effects of groups that the fit has seen.

        Parameters
        ----------
        X : frame or array, shape (n, p)
        groups : array-like, shape (n,), optional
            As in `fit`; left out, all groups count as unseen.

        Returns
        -------
        ndarray, shape (n,)
        """
        check_is_fitted(self, "model_")
        data = self._frame(X, None, groups, reset=False)
        if isinstance(self.model_, LinearModel):
            return self._numbers_of(self.model_.predict(data))
        if _GROUPS in self.model_.ngroups and _GROUPS not in data:
            data[_GROUPS] = None  # a missing group is an unseen one
            if self.unseen == "error":
                raise DataError("predict needs groups=, as fit had them")
        known = {"population": True, "nan": "nan", "error": False}[self.unseen]
        return self._numbers_of(self.model_.predict(data, allow_new_levels=known))

    @staticmethod
    def _numbers_of(predicted: pd.Series) -> Floats:
        return predicted.to_numpy(dtype=np.float64)

    def _frame(self, X: Any, y: Any, groups: Any, reset: bool) -> pd.DataFrame:
        """X as a frame, and `groups` as a column of it; what scikit-learn refuses is refused."""
        if hasattr(X, "columns"):
            checked: Any = "no_validation" if y is None else y
            validate_data(self, X, checked, reset=reset, skip_check_array=True)
            frame = as_pandas(X).reset_index(drop=True)
            frame.columns = [str(c) for c in frame.columns]
            self._check_rows(frame, y)
        else:
            options = {"reset": reset, "ensure_min_samples": 2 if reset else 1}
            if y is None:
                array = validate_data(self, X, **options)
            else:
                array, _ = validate_data(self, X, y, y_numeric=True, **options)
            frame = pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
        if groups is not None:
            if self.groups is not None:
                raise ArgumentError(f"groups stand in the column {self.groups!r}; leave one out")
            values = np.asarray(groups)
            if values.shape != (len(frame),):
                raise DataError(f"groups has shape {values.shape} for {len(frame)} rows of X")
            if _GROUPS in frame:
                raise DataError("X has a column 'groups' already: MixedRegressor(groups='groups')")
            frame[_GROUPS] = values
        return frame

    @staticmethod
    def _check_rows(frame: pd.DataFrame, y: Any) -> None:
        """What validate_data checks of an array."""
        if len(frame) < (1 if y is None else 2):
            raise DataError(f"X has {len(frame)} sample(s), and needs 2 or more to fit")
        for name in frame.columns:
            column = frame[name]
            infinite = column.dtype.kind == "f" and np.isinf(column.to_numpy()).any()
            if infinite or column.isna().any():
                raise DataError(
                    f"X: column {name!r} contains NaN or infinity; impute or drop these rows first"
                )
        if y is not None:
            numbers = _numbers(y)
            if len(numbers) != len(frame):
                raise DataError(
                    f"inconsistent numbers of samples: X has {len(frame)} rows, y {len(numbers)}"
                )

    def _written(self, data: pd.DataFrame) -> tuple[str, str]:
        """The formula, and the name of y in it."""
        if self.formula is not None:
            return self._given_formula(data)
        columns = [str(c) for c in data.columns]
        group = (
            _GROUPS if _GROUPS in columns and self.groups is None else self._group_column(columns)
        )
        if _Y in columns:
            raise DataError(f"X has a column {_Y!r}; rename it, or write a formula")
        fixed = " + ".join(_quoted(c) for c in columns if c != group) or "1"
        bar = f" + ({self.random} | {_quoted(group)})" if group is not None else ""
        return f"{_Y} ~ {fixed}{bar}", _Y

    def _group_column(self, columns: list[str]) -> str | None:
        if self.groups is None:
            return None
        name = f"x{self.groups}" if isinstance(self.groups, int) else self.groups
        if name not in columns:
            raise DataError(f"groups: X has no column {name!r}.{near_names(str(name), columns)}")
        return name

    def _given_formula(self, data: pd.DataFrame) -> tuple[str, str]:
        assert self.formula is not None  # the caller has looked
        left, tilde, right = self.formula.partition("~")
        if not tilde:
            raise ArgumentError(f"formula={self.formula!r} has no '~': write 'y ~ x + (1 | g)'")
        if not left.strip():
            return f"{_Y} ~ {right.strip()}", _Y
        response = vet(f"~ {left}").names
        if len(response) != 1 or left.strip().strip("`") != response[0]:
            raise ArgumentError(
                f"formula: y is predicted as it is given, so its name stands alone, not "
                f"{left.strip()!r}. Transform y by sklearn.compose.TransformedTargetRegressor"
            )
        return self.formula, response[0]


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f"`{name}`"


def _numbers(y: Any) -> Any:
    """The response as numbers; what is none, or no finite number, is refused."""
    try:
        numbers = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("y must be numbers") from None
    if not np.isfinite(numbers).all():
        raise DataError("y contains NaN or infinity")
    return numbers
