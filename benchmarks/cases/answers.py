"""Questions to a fitted small model: what pymlm adds to R's own time."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.measure import Row, seconds, side_by_side


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm
    from pymlm.results.anova import AnovaTable
    from pymlm.results.ranef import RandomEffects
    from pymlm.results.summary import Summary

    r = context.r
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    m.summary()
    r.run("m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy); t <- as_lmerModLmerTest(m)")
    by_df = {"engine": "lmerTest", "ddf": "Satterthwaite"}
    # keep=False: neither half answers from what it has kept.
    questions = {
        "summary(ddf=None)": (
            lambda: m._ask("summary", Summary, False, ddf=None), "summary(m)",
        ),
        "summary()": (lambda: m._ask("summary", Summary, False, **by_df), "summary(t)"),
        "anova()": (
            lambda: m._ask("anova", AnovaTable, False, type="III", **by_df), "anova(t)",
        ),
        "ranef()": (
            lambda: m._ask("ranef", RandomEffects, False, cond_var=True),
            "ranef(m, condVar = TRUE)",
        ),
        "predict()": (m.predict, "predict(m)"),
    }  # fmt: skip
    for name, (ask, native) in questions.items():
        ours, theirs, memory = side_by_side(
            lambda ask=ask: seconds(ask),
            lambda native=native: r.time(native),
            repeats=context.repeats(90),
            warm_up=20,
        )
        yield Row(
            case="answers", what=f"{name}, sleepstudy", ours=ours, theirs=theirs,
            against=native, value=1e3 * (ours - theirs), sense="<=",
            target=0.7 if name == "summary()" else 1.0, memory=memory, note="milliseconds more",
        )  # fmt: skip
    kept = seconds(m.summary)
    yield Row(
        case="answers", what="summary() asked again", ours=kept, against="",
        note="answered from what is kept",
    )  # fmt: skip
