"""The command line, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import pymlm as mlm
from tests.native import assert_close, rscript


def run(*words, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "pymlm", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", check=False, **kwargs,
    )  # fmt: skip


@pytest.fixture(scope="module")
def csv(tmp_path_factory, sleepstudy):
    path = tmp_path_factory.mktemp("cli") / "sleepstudy.csv"
    sleepstudy.to_csv(path, index=False)
    return path


FORMULA = "Reaction ~ Days + (Days | Subject)"
GLMM = "round(Reaction) ~ Days + (1 | Subject)"


def test_version():
    assert run("--version").stdout == f"pymlm {mlm.__version__}\n"


def test_fit_prints_what_r_prints(csv, sleepstudy):
    done = run("fit", csv, FORMULA, "--factor", "Subject")
    assert done.returncode == 0, done.stderr
    assert done.stdout == str(mlm.lmer(FORMULA, sleepstudy).summary()) + "\n"
    assert done.stderr == ""


def test_fit_reads_parquet(tmp_path, sleepstudy):
    pytest.importorskip("pyarrow")
    path = tmp_path / "sleepstudy.parquet"
    sleepstudy.to_parquet(path)
    done = run("fit", path, FORMULA, "--ddf", "none")
    assert done.returncode == 0, done.stderr
    assert done.stdout == str(mlm.lmer(FORMULA, sleepstudy).summary(ddf=None)) + "\n"


def test_fit_in_other_formats(csv, sleepstudy):
    fixed = mlm.lmer(FORMULA, sleepstudy, reml=False).summary().fixed
    answer = json.loads(run("fit", csv, FORMULA, "--ml", "--format", "json").stdout)
    assert_close(answer["fixed"]["estimate"], fixed.estimate)
    assert_close(answer["fixed"]["df"], fixed.df)
    for name, mark in (("md", "| Days | 10.467 |"), ("latex", r"\begin{tabular}"),
                         ("html", "<table")):  # fmt: skip
        shown = run("fit", csv, FORMULA, "--format", name).stdout
        assert mark in shown
        assert "Random effects" in shown
        assert "612.1" in shown


def test_fit_saves_model_and_script(csv, tmp_path):
    done = run("fit", csv, FORMULA, "--save", tmp_path / "m.rds", "--to-r", tmp_path / "a.R")
    assert done.returncode == 0, done.stderr
    assert mlm.load_model(tmp_path / "m.rds").nobs == 180
    assert "REML criterion at convergence: 1743.6" in rscript(
        f'setwd("{tmp_path}"); source("a.R", echo = FALSE)'
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "none.csv", "y ~ x + (1|g)"], "no such file: 'none.csv'"),
        (["fit", "{csv}", "Reaction ~ days + (1|Subject)"], "Did you mean 'Days'?"),
        (["fit", "{csv}", "Reaction ~ (Days"], "R cannot read the formula"),
        (["fit", "{csv}", "Reaction ~ Days"], "no random effects"),
        (["fit", "{csv}", "Reaction ~ system('ls') + (1|Subject)"], "calls 'system'"),
        (["fit", "{csv}", FORMULA, "--ddf", "Satterthwait"], "Did you mean 'Satterthwaite'"),
        (["fit", "{csv}", GLMM, "--family", "poisson", "--ddf", "Kenward-Roger"], "asymptotic"),
        (["fit", "{csv}", FORMULA, "--factor", "subject"], "Did you mean 'Subject'"),
        (["fit", __file__, FORMULA], "neither .csv, .tsv nor .parquet"),
    ],
)
def test_wrong_input_ends_with_one_clear_line(csv, words, said):
    done = run(*[w.format(csv=csv) if "{csv}" in w else w for w in words])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_warnings_are_one_line_on_standard_error(tmp_path):
    mlm.load_dataset("Dyestuff2").to_csv(tmp_path / "d.csv", index=False)
    done = run("fit", tmp_path / "d.csv", "Yield ~ 1 + (1 | Batch)", "--ddf", "none")
    assert done.returncode == 0
    assert done.stderr.startswith("pymlm: SingularFitWarning: ")
    assert len(done.stderr.splitlines()) == 1


def test_parity(csv):
    done = run("parity", csv, FORMULA)
    assert done.returncode == 0, done.stderr
    assert "they agree" in done.stdout


def test_doctor():
    done = run("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["ok"]
    assert report["r_version"] == rscript("cat(format(getRversion()))")
    by_name = {r["name"]: r for r in report["requirements"]}
    assert by_name["lme4"]["found"] == rscript(
        "cat(as.character(packageDescription('lme4')$Version))"
    )
    assert "The main job can run." in run("doctor").stdout


def test_doctor_without_r(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "R_HOME"} | {"PATH": str(tmp_path)}
    done = run("doctor", "--json", env=environment)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert not report["ok"]
    # One problem: of rpy2 and the packages nothing is known before R is there.
    assert len(report["problems"]) == 1
    assert "R was not found" in report["problems"][0]
    r = next(r for r in report["requirements"] if r["name"] == "R")
    assert not r["ok"]
    assert r["command"]


def test_demo_prints_the_lecture_s_numbers():
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert "13 of 13 printed numbers come out." in done.stdout
    assert "differs" not in done.stdout
    assert "they agree" in done.stdout
