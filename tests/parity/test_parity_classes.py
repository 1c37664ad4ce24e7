"""check_parity answers for every class that one call of R fits, and sees one wrong number."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm import parity
from pymlm.errors import NotSupportedError

#: A wrong number that must be seen: a hundred times what may differ.
WRONG = 1e-6


@pytest.fixture(scope="module")
def d() -> pd.DataFrame:
    sleepstudy = mlm.load_dataset("sleepstudy")
    sleepstudy.loc[[3, 77], "Reaction"] = np.nan
    return sleepstudy.assign(
        bin=np.where(sleepstudy["Reaction"].isna(), np.nan, sleepstudy["Reaction"] > 290),
        half=np.where(sleepstudy["Days"] % 2, "odd", "even"), w=1.0 + sleepstudy["Days"] / 10,
        twice=2 * sleepstudy["Days"], count=sleepstudy["Days"].astype(int),
        number=sleepstudy["Subject"].astype(int),
    )  # fmt: skip


Y = "Reaction ~ Days"
MODELS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "lm": lambda d: mlm.lm("Reaction ~ Days * half", d, weights="w"),
    "lm, arrays": lambda d: mlm.lm(Y, d, weights=d["w"].to_numpy(), offset=d["w"].to_numpy()),
    "lm, contrasts": lambda d: mlm.lm("Reaction ~ half", d, contrasts={"half": "sum"}),
    "lm, aliased": lambda d: mlm.lm("Reaction ~ Days + twice", d),
    "lm, mean alone": lambda d: mlm.lm("Reaction ~ 1", d),
    "glm": lambda d: mlm.glm("bin ~ Days", d),
    "glm, poisson": lambda d: mlm.glm("count ~ half", d, family="poisson"),
    "glm, Gamma": lambda d: mlm.glm(Y, d, family="Gamma", link="log"),
    "glm, quasi": lambda d: mlm.glm("count ~ half", d, family="quasipoisson"),
    "lme": lambda d: mlm.lme(Y, d, random="~ Days | Subject"),
    "lme, structure": lambda d: mlm.lme(
        Y, d, random="~ 1 | Subject", correlation="ar1", variance_by="half", reml=False),
    "lme, nested": lambda d: mlm.lme(Y, d, random="~ 1 | Subject/half"),
    "lme, number": lambda d: mlm.lme(Y, d, random="~ 1 | number"),
    "gls": lambda d: mlm.gls(Y, d, correlation="ar1", group="Subject", time="count"),
    "gls, contrasts": lambda d: mlm.gls(
        "Reaction ~ half", d, contrasts={"half": "sum"}, variance_by="half"),
    "lmer": lambda d: mlm.lmer("Reaction ~ Days + (1 | Subject)", d, weights="w"),
    "glmer": lambda d: mlm.glmer("bin ~ Days + (1 | Subject)", d),
}  # fmt: skip
#: What the report has of every class, and of some.
TABLES = {
    "lm": {"summary", "vcov", "deviance", "fit", "fitted", "criteria"},
    "glm": {"summary", "vcov", "deviance", "fitted", "criteria"},
    "lme": {"summary", "VarCorr", "ranef Subject", "fitted", "criteria"},
    "lme, structure": {"summary", "VarCorr", "ranef Subject", "structure", "fitted", "criteria"},
    "gls": {"summary", "structure", "fitted", "criteria"},
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_number_is_native_r_s(d: pd.DataFrame, kind: str) -> None:
    report = mlm.check_parity(MODELS[kind](d))
    assert report.ok, report.text
    for table in TABLES.get(kind, set()):
        assert any(name.startswith(f"{table} ") for name in report.what), table


@pytest.mark.parametrize("kind", TABLES)
def test_one_wrong_number_is_seen(
    d: pd.DataFrame, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, kept = MODELS[kind](d), []
    ask = parity.ask_native
    for table in TABLES[kind]:

        def other(folder: Path, table: str = table) -> dict[str, Any]:
            if not kept:
                kept.append(ask(folder))
            said = {**kept[0], table: dict(kept[0][table])}
            name = next(k for k, v in said[table].items() if v)
            said[table][name] *= 1 + WRONG * (1e3 if name.endswith(("df", "p_value")) else 1)
            return said

        monkeypatch.setattr(parity, "ask_native", other)
        assert len(mlm.check_parity(model).failures) == 1


def test_what_no_single_call_fits_is_refused(d: pd.DataFrame) -> None:
    units = {"mm": mlm.membership_weights(d.assign(s2=d["Subject"]), ["Subject", "s2"])}
    for model in (
        mlm.lm_list("Reaction ~ Days | Subject", d),
        mlm.multiple_membership("Reaction ~ Days + (1 | mm)", d, units),
    ):
        with pytest.raises(NotSupportedError, match=f"not a {type(model).__name__}"):
            mlm.check_parity(model)


@pytest.mark.parametrize("kind", ["lm", "lme, structure", "gls"])
def test_the_script_of_a_model_runs_in_native_r(d: pd.DataFrame, kind: str, tmp_path: Path) -> None:
    """It attaches the package whose function it calls."""
    (tmp_path / "analysis.R").write_text(MODELS[kind](d).to_r(), encoding="utf-8")
    command = ["Rscript", "--vanilla", "analysis.R"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Days" in done.stdout
