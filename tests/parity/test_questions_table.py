"""docs/support.md, questions by class of models: written here, from what R answers.

``PYMLM_WRITE_TABLE=1 pytest tests/parity/test_questions_table.py`` writes the table anew.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import needs_r

needs_r("emmeans", "car", "performance", "multcomp", "multcompView")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "support.md"
HEADING = "## Questions, by class of models\n"

#: A question -> how it is asked of any model. All are of the predictor x, the factor f.
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "fixef": lambda m: m.fixef(), "vcov": lambda m: m.vcov(), "summary": lambda m: m.summary(),
    "anova(type=1)": lambda m: m.anova(type=1), "anova(type=2)": lambda m: m.anova(type=2),
    "anova(type=3)": lambda m: m.anova(type=3), "contest": lambda m: m.contest("x = 0"),
    "drop1": lambda m: m.drop1(), "step": lambda m: m.step(), "ls_means": lambda m: m.ls_means(),
    "emmeans": lambda m: m.emmeans("f"), "emtrends": lambda m: m.emtrends("f", "x"),
    "joint_tests": lambda m: m.joint_tests(), "cld": lambda m: m.cld("f"),
    "eff_size": lambda m: m.eff_size("f", sigma=2.0, edf=40),
    "confint": lambda m: m.confint(), "tidy": lambda m: m.tidy(), "glance": lambda m: m.glance(),
    "augment": lambda m: m.augment(), "predict": lambda m: m.predict(),
    "residuals": lambda m: m.residuals(), "model_matrix": lambda m: m.model_matrix(),
    "varcorr": lambda m: m.varcorr(), "simulate": lambda m: m.simulate(seed=1),
    "bootstrap": lambda m: m.bootstrap(nsim=2, seed=1),
    "refit": lambda m: m.refit(m._source.data["y"]),
    "update": lambda m: m.update(". ~ . - f"), "hat_values": lambda m: m.hat_values(),
    "cooks_distance": lambda m: m.cooks_distance(), "influence": lambda m: m.influence(),
    "vif": lambda m: m.vif(), "qq_data": lambda m: m.qq_data(), "re_pca": lambda m: m.re_pca(),
    "check('heteroscedasticity')": lambda m: m.check("heteroscedasticity"),
    "to_r": lambda m: m.to_r(), "mlm.total_r2": mlm.total_r2,
    "mlm.effect_sizes": mlm.effect_sizes, "mlm.equations": mlm.equations,
    "mlm.check_assumptions": mlm.check_assumptions,
    "mlm.implied_covariance": lambda m: mlm.implied_covariance(m, rows=[0, 1]),
    "mlm.regression_table": mlm.regression_table, "mlm.check_parity": mlm.check_parity,
    "avg_predictions": lambda m: m.avg_predictions("f"),
    "avg_comparisons": lambda m: m.avg_comparisons(), "avg_slopes": lambda m: m.avg_slopes("x"),
}  # fmt: skip
CLASSES = ("lmer", "glmer", "lm", "glm", "lme", "gls")


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    data = mlm.load_dataset("nlme::Orthodont").reset_index(drop=True)
    data = data.rename(columns={"distance": "y", "age": "x", "Sex": "f", "Subject": "g"})
    data["g"] = data["g"].astype(str)
    data["n"] = data["y"].round().astype(int)
    counts = data.assign(y=data["n"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the counts vary less than Poisson's: a singular fit
        glmer = mlm.glmer("y ~ x + f + (1 | g)", counts, family="poisson")
    return {
        "lmer": mlm.lmer("y ~ x + f + (1 | g)", data),
        "glmer": glmer,
        "lm": mlm.lm("y ~ x + f", data),
        "glm": mlm.glm("y ~ x + f", counts, family="poisson"),
        "lme": mlm.lme("y ~ x + f + (1 | g)", data),
        "gls": mlm.gls("y ~ x + f", data),
    }


def answered(ask: Callable[[Any], Any], model: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said beside an answer is tested elsewhere
        try:
            ask(model)
        except NotSupportedError:
            return False
    return True


def table(models: dict[str, Any]) -> str:
    lines = [f"| question | {' | '.join(CLASSES)} |", "|---" * (len(CLASSES) + 1) + "|"]
    for name, ask in QUESTIONS.items():
        cells = ["yes" if answered(ask, models[c]) else "—" for c in CLASSES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_page_says_what_r_answers(models: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(HEADING, 1)
    intro, found = rest.split("\n| question", 1)
    found = "| question" + found
    body, after = [*found.split("\n\n", 1), ""][:2]
    now = table(models)
    if os.environ.get("PYMLM_WRITE_TABLE"):
        page = f"{before}{HEADING}{intro}\n{now}" + (f"\n{after}" if after else "")
        PAGE.write_text(page, encoding="utf-8")
        return
    assert body.strip() == now.strip()
