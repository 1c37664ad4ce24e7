"""`pymlm demo`: the main job on real data, beside what books and lectures print."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from pymlm.datasets import load_dataset
from pymlm.models.lmer import lmer
from pymlm.parity import check_parity

if TYPE_CHECKING:
    import pandas as pd

    from pymlm.models.mixed import MixedModel

#: Lecture S0 (B. Rosche, What are multilevel structures?), varying-intercept model by maximum
#: likelihood: what its slides print.
PRINTED = {
    "schoolnr (Intercept) variance": "0.1851",
    "schoolnr (Intercept) sd": "0.4303",
    "Residual variance": "0.7030",
    "Residual sd": "0.8385",
    "(Intercept) estimate": "-0.03505",
    "(Intercept) std. error": "0.04236",
    "(Intercept) t": "-0.827",
    "ses estimate": "0.35741",
    "ses std. error": "0.02104",
    "ses t": "16.985",
    "clubs estimate": "0.07877",
    "clubs std. error": "0.04330",
    "clubs t": "1.819",
}


def run() -> int:
    """Print both parts; return how many printed numbers do not come out."""
    write = sys.stdout.write
    sleepstudy = load_dataset("sleepstudy")
    write('>>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)\n')
    model = lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    write(f">>> print(m.summary())\n{model.summary()}\n\n")
    write(f">>> print(mlm.check_parity(m))\n{check_parity(model)}\n\n")
    return _lecture(write)


def _lecture(write: Callable[[str], object]) -> int:
    bdf = load_dataset("nlme::bdf")
    data = bdf.assign(
        gpa=_scaled(bdf["langPOST"]), ses=_scaled(bdf["ses"]), clubs=_scaled(bdf["schoolSES"]),
        schoolnr=bdf["schoolNR"].astype(str),
    )  # fmt: skip
    formula = "gpa ~ 1 + ses + clubs + (1 | schoolnr)"
    write("Snijders & Bosker's 2,287 pupils in 131 schools, as lecture S0 fits them:\n")
    write(f'>>> m = mlm.lmer("{formula}", data, reml=False)\n')
    model = lmer(formula, data, reml=False, data_name="dat")
    write(f">>> print(m.summary(ddf=None))\n{model.summary(ddf=None)}\n\n")
    ours = _numbers(model)
    write(f"{'number':<32}{'lecture':>10}{'pymlm':>10}\n")
    wrong = 0
    for name, printed in PRINTED.items():
        digits = len(printed.partition(".")[2])
        mine = f"{ours[name]:.{digits}f}"
        wrong += mine != printed
        write(f"{name:<32}{printed:>10}{mine:>10}{'' if mine == printed else '   differs'}\n")
    write(f"{len(PRINTED) - wrong} of {len(PRINTED)} printed numbers come out.\n")
    return wrong


def _scaled(column: pd.Series) -> pd.Series:
    return (column - column.mean()) / column.std()


def _numbers(model: MixedModel) -> dict[str, float]:
    fixed = model.summary(ddf=None).fixed
    vc = model.varcorr()
    out: dict[str, float] = {}
    for grp, var, variance, sd in zip(vc.grp, vc.var1, vc.vcov, vc.sdcor, strict=True):
        name = grp if var is None else f"{grp} {var}"
        out |= {f"{name} variance": float(variance), f"{name} sd": float(sd)}
    for i, term in enumerate(fixed.term):
        out |= {
            f"{term} estimate": float(fixed.estimate[i]),
            f"{term} std. error": float(fixed.std_error[i]),
            f"{term} t": float(fixed.statistic[i]),
        }
    return out
