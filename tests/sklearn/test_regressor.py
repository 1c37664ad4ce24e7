"""MixedRegressor: scikit-learn's own checks, its tools, and native R's numbers fold by fold."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, config_context
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import pymlm as mlm
from pymlm.errors import AdviceWarning, ArgumentError, DataError, FormulaError, MissingPackageError
from tests.native import assert_fits_close, native
from tests.tolerances import REOPTIMIZED

MixedRegressor = mlm.sklearn.MixedRegressor

#: scikit-learn's checks that do not apply, each with its reason. All of those that it runs pass:
#: without groups the estimator is a linear model, which is what they can try.
NOT_APPLICABLE: dict[str, str] = {
    # Skipped by scikit-learn itself unless SCIPY_ARRAY_API is set: R takes frames, no GPU arrays.
    "check_array_api_input": "arrays of other libraries are no data for R",
}


@pytest.mark.filterwarnings("ignore::pymlm.errors.AdviceWarning")
@parametrize_with_checks(
    [MixedRegressor()], expected_failed_checks=lambda estimator: NOT_APPLICABLE
)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


# --- the same numbers as lmer ---------------------------------------------------------------------

FOLDS = r"""
fold <- as.integer(sleepstudy$Subject) %% 3
pred <- rep(NA, 180)
for (k in 0:2) {
  m <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy[fold != k, ])
  pred[fold == k] <- predict(m, sleepstudy[fold == k, ], re.form = NA)
}
r2 <- sapply(0:2, function(k) {
  y <- sleepstudy$Reaction[fold == k]; 1 - sum((y - pred[fold == k])^2) / sum((y - mean(y))^2)
})
known <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy, weights = Days + 1)
emit(list(pred = pred, r2 = r2, weighted = unname(fitted(known))))
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(FOLDS)


@pytest.fixture(scope="module")
def sleep() -> pd.DataFrame:
    return mlm.load_dataset("sleepstudy")


def by_subject(**options: Any) -> Any:
    return MixedRegressor(groups="Subject", random="1 + Days", **options)


def test_folds_by_group(sleep: pd.DataFrame, reference: Any) -> None:
    X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    fold = sleep["Subject"].cat.codes.to_numpy() + 1
    splits = [np.flatnonzero(fold % 3 == k) for k in range(3)]
    cv = [(np.setdiff1d(np.arange(180), test), test) for test in splits]
    assert_fits_close(cross_val_predict(by_subject(), X, y, cv=cv), reference["pred"], REOPTIMIZED)
    assert_fits_close(cross_val_score(by_subject(), X, y, cv=cv), reference["r2"], REOPTIMIZED)


def test_group_k_fold_with_groups_routed(sleep: pd.DataFrame) -> None:
    X, y, groups = sleep[["Days"]].to_numpy(), sleep["Reaction"], sleep["Subject"]
    column = cross_val_score(
        MixedRegressor(groups="Subject"), sleep[["Days", "Subject"]], y, groups=groups,
        cv=GroupKFold(3),
    )  # fmt: skip
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            MixedRegressor().set_fit_request(groups=True), X, y, params={"groups": groups},
            cv=GroupKFold(3),
        )  # fmt: skip
    assert_fits_close(routed, column, REOPTIMIZED)


def test_known_groups_keep_their_effects(sleep: pd.DataFrame, reference: Any) -> None:
    X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    est = by_subject().fit(X, y, sample_weight=sleep["Days"] + 1)
    assert_fits_close(est.predict(X), reference["weighted"], REOPTIMIZED)
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleep)
    same = MixedRegressor("Reaction ~ Days + (Days | Subject)").fit(X, y)
    assert_fits_close(same.predict(X), m.fitted())
    assert_fits_close(same.model_.varcorr().to_frame()["sdcor"], m.varcorr().to_frame()["sdcor"])
    given = MixedRegressor("~ Days + (Days | groups)").fit(X[["Days"]], y, groups=X["Subject"])
    assert_fits_close(given.predict(X[["Days"]], groups=X["Subject"]), m.fitted(), REOPTIMIZED)
    population = m.predict(X, re_form="NA")
    assert_fits_close(given.predict(X[["Days"]]), population, REOPTIMIZED)
    array = MixedRegressor(groups=1).fit(np.c_[X["Days"], X["Subject"].astype(int)], y)
    assert array.formula_ == ".y ~ x0 + (1 | x1)"


@pytest.mark.parametrize("unseen", ["population", "nan", "error"])
def test_unseen_groups(unseen: str, sleep: pd.DataFrame) -> None:
    X, y = sleep[["Days", "Subject"]].astype({"Subject": str}), sleep["Reaction"]
    est = by_subject(unseen=unseen).fit(X, y)
    rows = X.head(3).assign(Subject=["308", "new", "309"])
    if unseen == "error":
        with pytest.raises(DataError, match="'new'"):
            est.predict(rows)
        return
    found = est.predict(rows)
    known = est.predict(rows.iloc[[0, 2]])
    assert_fits_close(found[[0, 2]], known)
    population = est.model_.predict(rows, re_form="NA").to_numpy()[1]
    assert np.isnan(found[1]) if unseen == "nan" else abs(found[1] - population) < REOPTIMIZED


def test_clone_pickle_and_parameters(sleep: pd.DataFrame) -> None:
    X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    est = by_subject(reml=False).fit(X, y)
    copy = clone(est)
    assert copy.get_params() == est.get_params()
    assert not hasattr(copy, "model_")
    with pytest.raises(NotFittedError):
        copy.predict(X)
    again = pickle.loads(pickle.dumps(est))
    assert_fits_close(again.predict(X), est.predict(X))
    assert not est.model_.reml


def test_search_and_pipelines(sleep: pd.DataFrame) -> None:
    X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    search = GridSearchCV(
        MixedRegressor(groups="Subject"), {"random": ["1", "1 + Days"]}, cv=GroupKFold(3)
    ).fit(X, y, groups=X["Subject"])
    assert search.best_params_["random"] in ("1", "1 + Days")
    scaled = make_column_transformer(
        (StandardScaler(), ["Days"]), ("passthrough", ["Subject"]), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipe = make_pipeline(scaled, MixedRegressor(groups="Subject")).fit(X, y)
    plain = MixedRegressor(groups="Subject").fit(X, y)
    assert_fits_close(pipe.predict(X), plain.predict(X), REOPTIMIZED)
    logged = TransformedTargetRegressor(plain, func=np.log, inverse_func=np.exp).fit(X, y)
    assert logged.score(X, y) > 0.6


# --- refusals -------------------------------------------------------------------------------------

BAD = {
    "column": (lambda X, y: MixedRegressor(groups="Subjct").fit(X, y), DataError, "Subject"),
    "unseen": (lambda X, y: MixedRegressor(unseen="zero").fit(X, y), ArgumentError, "population"),
    "twice": (lambda X, y: by_subject().fit(X, y, groups=y), ArgumentError, "leave one out"),
    "shape": (
        lambda X, y: MixedRegressor().fit(X, y, groups=[1, 2]), DataError, r"\(2,\) for 180"
    ),
    "no tilde": (lambda X, y: MixedRegressor("Days").fit(X, y), ArgumentError, "no '~'"),
    "a formula's y": (
        lambda X, y: MixedRegressor("log(y) ~ Days + (1 | Subject)").fit(X, y), ArgumentError,
        "TransformedTargetRegressor",
    ),
    "code": (
        lambda X, y: MixedRegressor("y ~ system('id') + (1 | Subject)").fit(X, y), FormulaError,
        "system",
    ),
    "code in random": (
        lambda X, y: MixedRegressor(groups="Subject", random="system('id')").fit(X, y),
        FormulaError, "system",
    ),
    "missing": (
        lambda X, y: by_subject().fit(X.assign(Days=np.nan), y), DataError, "contains NaN"
    ),
    "text": (lambda X, y: by_subject().fit(X, ["a"] * 180), DataError, "numbers"),
    "lengths": (lambda X, y: by_subject().fit(X, y.head(9)), DataError, "180 rows, y 9"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str, sleep: pd.DataFrame) -> None:
    ask, error, words = BAD[case]
    X, y = sleep[["Days", "Subject"]], sleep["Reaction"]
    with pytest.raises(error, match=words):
        ask(X, y)
    assert by_subject().fit(X, y).score(X, y) > 0.8  # R is usable


def test_a_model_without_groups_is_said(sleep: pd.DataFrame) -> None:
    X, y = sleep[["Days"]], sleep["Reaction"]
    with pytest.warns(AdviceWarning, match="no groups"):
        est = MixedRegressor().fit(X, y)
    assert_fits_close(est.predict(X), mlm.lm("Reaction ~ Days", sleep).fitted())


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sklearn", "sklearn.base"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in [n for n in sys.modules if n.startswith("pymlm.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    import pymlm.sklearn as ours

    with pytest.raises(MissingPackageError, match=r"pymlm\[sklearn\]"):
        _ = ours.MixedRegressor
