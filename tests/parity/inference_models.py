"""Models on which tests of terms, hypotheses and variances are compared with native R."""

from __future__ import annotations

from typing import Any

import pymlm as mlm

#: name -> (data set, formula, REML)
MODELS: dict[str, tuple[str, str, bool]] = {
    "sleepstudy": ("lme4::sleepstudy", "Reaction ~ Days + (Days | Subject)", True),
    "sleepstudy ML": ("lme4::sleepstudy", "Reaction ~ Days + I(Days^2) + (Days | Subject)", False),
    "Penicillin": ("lme4::Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", True),
    "Pastes": ("lme4::Pastes", "strength ~ 1 + (1 | batch/cask)", True),
    "cake": ("lme4::cake", "angle ~ recipe * temperature + (1 | recipe:replicate)", True),
    "InstEval": ("lme4::InstEval", "y ~ service * studage + (1 | s) + (1 | d)", True),
    "ham": (
        "lmerTest::ham",
        "Informed.liking ~ Product * Information * Gender + (1 | Consumer)"
        " + (1 | Product:Consumer)",
        True,
    ),
    "carrots": ("lmerTest::carrots", "Preference ~ sens2 * Homesize + (sens2 | Consumer)", True),
    "TVbo": (
        "lmerTest::TVbo",
        "Sharpnessofmovement ~ TVset * Picture + (1 | Assessor) + (1 | Assessor:TVset)"
        " + (1 | Assessor:Picture)",
        True,
    ),
    "Machines": ("nlme::Machines", "score ~ Machine + (Machine | Worker)", True),
}

#: Native R does not agree with itself here: with crossed factors, sums inside the sparse Cholesky
#: depend on where in memory they stand, and the optimum moves by 1e-8 from one Rscript to the next.
FLAT = {"TVbo": 1e-6, "Penicillin": 1e-6, "InstEval": 1e-6}

#: Rows of InstEval that are used; the whole would take minutes.
SAMPLE = 1500

#: Kenward-Roger is computed for these: InstEval's crossed factors make dense n x n matrices.
WITH_KR = [
    name for name, (_, _, reml) in MODELS.items() if reml and name not in ("InstEval", "carrots")
]
WITH_TERMS = [name for name in MODELS if name not in ("Penicillin", "Pastes")]


def fitted(name: str) -> Any:
    """Fit one of MODELS."""
    dataset, formula, reml = MODELS[name]
    return mlm.lmer(formula, frame(dataset), reml=reml, control={"optimizer": "bobyqa"})


def frame(dataset: str) -> Any:
    data = mlm.load_dataset(dataset)
    if dataset.endswith("InstEval"):
        data = data.iloc[:SAMPLE].copy()
        for column in ("s", "d"):
            data[column] = data[column].cat.remove_unused_categories()
    return data


def r_fits(names: list[str]) -> str:
    """R code that fits the same models as `fits$name`, the data under their own names."""
    code = 'lines_of <- function(x) paste(capture.output(print(x)), collapse = "\\n")\n'
    code += "fits <- list()\n"
    for name in names:
        dataset, formula, reml = MODELS[name]
        package, data = dataset.split("::")
        code += f'data("{data}", package = "{package}")\n'
        if data == "InstEval":
            code += f"InstEval <- droplevels(InstEval[1:{SAMPLE}, ])\n"
        code += (
            f'fits[["{name}"]] <- lme4::lmer({formula}, {data}, REML = {str(reml).upper()}, '
            'control = lmerControl(optimizer = "bobyqa"))\n'
        )
    return code


def row_names(table: dict[str, Any]) -> list[str]:
    """Row names of a data frame that R emitted; one row comes as a scalar."""
    rows = table[".rows"]
    return rows if isinstance(rows, list) else [rows]
