"""What all figures have in common, and what they refuse."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.plot.figures import FIGURES, PANELS, cake, data, draw, emmeans, moderated, pastes, sleep

each = pytest.mark.parametrize("name", sorted(FIGURES))
#: Figures whose main artist the keyword `label` names.
LABELLED = sorted(set(FIGURES) - {"check", "levels", "variance_shares"} - {"predictions", "means"})


def flat(axes):
    return list(np.ravel(np.asarray(axes, dtype=object)))


def test_every_figure_is_tried():
    assert sorted(mlm.plot.__all__) == sorted(FIGURES)


@each
def test_a_figure_returns_axes_and_changes_no_setting(name, monkeypatch):
    before = dict(mpl.rcParams)
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("show() was called"))
    drawn = draw(name)
    assert isinstance(drawn, np.ndarray) == (name in PANELS)
    assert all(isinstance(ax, Axes) and ax.has_data() for ax in flat(drawn))
    assert dict(mpl.rcParams) == before


@each
def test_a_figure_is_drawn_on_the_axes_that_were_given(name):
    figure, axes = plt.subplots(1, len(flat(draw(name))), squeeze=False)
    open_before = plt.get_fignums()
    given = {"axes": axes[0]} if name in PANELS else {"ax": axes[0, 0]}
    drawn = flat(draw(name, **given))
    assert [a is b for a, b in zip(drawn, axes[0], strict=True)] == [True] * len(drawn)
    assert plt.get_fignums() == open_before
    figure.canvas.draw()


@each
def test_axes_have_names_with_units(name):
    drawn = flat(draw(name))
    assert any(ax.get_xlabel() for ax in drawn) or name == "bootstrap"
    if name == "group_lines":
        assert drawn[0].get_ylabel() == "Reaction (ms)"
        assert drawn[0].get_xlabel() == "Days"


def test_units_come_with_r_s_data():
    teeth = data("nlme::Orthodont")
    assert teeth.attrs["units"] == {"distance": "mm", "age": "yr"}
    m = mlm.lmer("distance ~ age * Sex + (1 | Subject)", teeth)
    ax = mlm.plot.predictions(m, ["age", "Sex"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age (yr)", "predicted distance (mm)")
    own = teeth.copy()
    own.attrs["labels"] = {"age": "age of the child"}
    ax = mlm.plot.group_lines(mlm.lmer("distance ~ age + (1 | Subject)", own), "age")
    assert ax.get_xlabel() == "age of the child (yr)"


@each
def test_further_keywords_go_to_the_main_artist(name):
    drawn = flat(draw(name, alpha=0.123))
    artists = [a for ax in drawn for a in [*ax.get_lines(), *ax.patches]]
    assert any(a.get_alpha() == 0.123 for a in artists)


@pytest.mark.parametrize("name", LABELLED)
def test_label_names_the_main_artist_in_the_legend(name):
    drawn = flat(draw(name, label="the main one"))
    texts = [t.get_text() for ax in drawn if ax.get_legend() for t in ax.get_legend().get_texts()]
    assert "the main one" in texts


@each
def test_unknown_keywords_are_refused_with_near_names(name):
    with pytest.raises(ArgumentError, match=rf"{name}\(\) has no argument 'alhpa'.*'alpha'"):
        draw(name, alhpa=1)
    assert plt.get_fignums() == []


@each
def test_what_is_no_axes_is_refused(name):
    which = "axes" if name in PANELS else "ax"
    with pytest.raises(ArgumentError, match=f"{which} must be .*matplotlib Axes, .*not a str"):
        draw(name, **{which: "left"})


@pytest.mark.parametrize("name", sorted(PANELS))
def test_another_number_of_axes_than_panels_is_refused(name):
    n = len(flat(draw(name))) + 1
    axes = plt.subplots(1, n)[1]
    with pytest.raises(ArgumentError, match=f"axes must be {n - 1} matplotlib Axes.* of {n}"):
        draw(name, axes=axes)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"levels", "within_between"}))
@pytest.mark.parametrize("wrong", ["m", 3, [1, 2]], ids=["text", "number", "list"])
def test_a_wrong_class_is_refused_in_words(name, wrong):
    more = FIGURES[name][0]()[1:]
    if name in ("coefs", "variance_shares"):
        more = ()
    with pytest.raises(
        ArgumentError, match=f"plot.{name}\\(\\) draws .*not a {type(wrong).__name__}"
    ):
        getattr(mlm.plot, name)(wrong, *more)


@each
def test_level_is_a_level(name):
    if name in {
        "caterpillar", "check", "coefs", "johnson_neyman", "pooling", "predictions", "profile",
        "qq",
    }:  # fmt: skip
        with pytest.raises(ArgumentError, match="level must lie between 0 and 1"):
            draw(name, level=95)
    else:
        with pytest.raises(ArgumentError, match="has no argument 'level'"):
            draw(name, level=0.95)


#: Calls that ask for what there is not, and what they are told.
REFUSED = [
    (lambda: mlm.plot.caterpillar(sleep(), by="subject"), "no grouping factor .*'Subject'"),
    (lambda: mlm.plot.caterpillar(sleep(), terms="Day"), "no random effect 'Day'.*'Days'"),
    (lambda: mlm.plot.caterpillar(sleep(), order="Day"), "no term 'Day'.*'Days'"),
    (lambda: mlm.plot.ranef_density(sleep(), by="x"), "no grouping factor 'x'"),
    (lambda: mlm.plot.group_lines(sleep(), "Days", highlight="38"), "no level .* '38'.*'308'"),
    (lambda: mlm.plot.group_lines(sleep(), "Days", by="S"), "no grouping factor 'S'"),
    (lambda: mlm.plot.group_lines({}, "Days"), "no model to draw"),
    (lambda: mlm.plot.group_lines(sleep(), "Days", points=3), "points must be True or False"),
    (lambda: mlm.plot.qq(sleep(), "subject"), "no residuals or grouping factor 'subject'"),
    (lambda: mlm.plot.shrinkage(sleep(), terms=["Days"] * 3), "one or two coefficients"),
    (lambda: mlm.plot.residuals_by_group(linear()), "by= names the grouping column"),
    (lambda: mlm.plot.residuals_by_group(sleep(), highlight="1"), "no group '1'"),
    (lambda: mlm.plot.variance(pastes()), "no random slope"),
    (lambda: mlm.plot.variance(at=[0], tau=[[1, 2], [2, 1]], sigma=1), "no covariance matrix"),
    (lambda: mlm.plot.variance(), "needs a model, or tau="),
    (lambda: mlm.plot.variance(tau=[[1, 0], [0, 1]], sigma=1), "at which values of x"),
    (lambda: mlm.plot.coefs(sleep(), names=["a", "b"]), "2 names for 1 models"),
    (lambda: mlm.plot.coefs(), "no model to draw"),
    (lambda: mlm.plot.coefs(sleep(), terms="Day"), "no coefficient 'Day'.*'Days'"),
    (lambda: mlm.plot.coefs(sleep().varcorr()), "not a VarCorr"),
    (lambda: mlm.plot.predictions(sleep(), "Day"), "'Day' is no predictor.*'Days'"),
    (lambda: mlm.plot.predictions(cake(), ["a", "b", "c", "d"]), "at most three"),
    (lambda: mlm.plot.predictions(sleep(), "Days", at={"Days": ["a"]}), "finite numbers"),
    (lambda: mlm.plot.johnson_neyman(moderated(), "ses"), "names both predictors"),
    (lambda: mlm.plot.profile(FIGURES["profile"][0]()[0], "beta"), "kind='beta' is not one of"),
    (lambda: mlm.plot.design_effect(icc=2), "icc lies between 0 and 1"),
    (lambda: draw("bootstrap", terms="x"), "no statistic 'x'"),
    (lambda: draw("bootstrap", type="x"), "type='x' is not one of"),
    (lambda: draw("pooling", terms="x"), "no coefficient 'x'"),
]


def linear():
    return mlm.lm("Reaction ~ Days", data("sleepstudy"))


@pytest.mark.parametrize(("call", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_bad_input_is_refused_and_leaves_no_figure(call, says):
    with pytest.raises(ArgumentError, match=says):
        call()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: mlm.plot.within_between(data("sleepstudy"), "Reaction", "Subject", "Days"),
        lambda: mlm.plot.within_between(data("sleepstudy"), "Reaction", "Day", "Subject"),
        lambda: mlm.plot.levels(data("Pastes"), "bacth"),
        lambda: mlm.plot.group_lines(cake(), "recipe"),
    ],
)
def test_columns_that_do_not_fit_are_data_errors(call):
    with pytest.raises(DataError):
        call()


def test_a_model_whose_groups_know_nothing_has_no_arrows():
    model = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", data("cbpp"), family="binomial"
    )
    with pytest.raises(NotSupportedError, match="own"):
        mlm.plot.shrinkage(model)


# --- results that draw themselves ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (lambda: sleep(), "check"),
        (lambda: mlm.lm("Reaction ~ Days", data("sleepstudy")), "check"),
        (lambda: sleep().ranef(), "caterpillar"),
        (lambda: FIGURES["profile"][0]()[0], "profile"),
        (lambda: FIGURES["bootstrap"][0]()[0], "bootstrap"),
        (lambda: emmeans(), "means"),
        (lambda: FIGURES["pooling"][0]()[0], "pooling"),
        (lambda: mlm.johnson_neyman(moderated(), "ses", "schoolSES"), "johnson_neyman"),
        (lambda: mlm.shrinkage(sleep()), "shrinkage"),
        (lambda: mlm.variance_function(sleep(), "Days"), "variance"),
        (lambda: mlm.variance_partition(pastes()), "variance_shares"),
        (lambda: mlm.design_effect(pastes()), "design_effect"),
        (lambda: sleep().qq_data(), "qq"),
        (lambda: sleep().summary().fixed, "coefs"),
        (
            lambda: mlm.residuals_by_group("Reaction ~ Days", data("sleepstudy"), "Subject"),
            "residuals_by_group",
        ),
    ],
)
def test_a_result_with_one_obvious_picture_draws_it(result, name):
    own = result()
    by_method, by_function = flat(own.plot()), flat(getattr(mlm.plot, name)(own))
    assert [a.get_xlabel() for a in by_method] == [a.get_xlabel() for a in by_function]
    assert all(ax.has_data() for ax in by_method)
    assert f"pymlm.plot.{name}" in type(own).plot.__doc__


# --- matplotlib is an extra ---------------------------------------------------------------------


def test_importing_pymlm_and_its_plot_imports_no_matplotlib():
    code = (
        "import sys, pymlm, pymlm.plot; pymlm.plot.caterpillar;"
        "assert 'matplotlib' not in sys.modules, 'matplotlib was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_matplotlib_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as where it is not installed
    with pytest.raises(mlm.errors.MissingPackageError, match=r"pip install 'pymlm\[plot\]'"):
        mlm.plot.design_effect(icc=0.1)
    with pytest.raises(ImportError):
        mlm.plot.caterpillar("anything")


# --- the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("checks.png", None),
        ("checks.xyz", "cannot draw into"),
        ("none/checks.png", "no such folder"),
    ],
)
def test_the_command_line_draws_the_checks(name, said, tmp_path):
    path, target = tmp_path / "sleepstudy.csv", tmp_path / name
    data("sleepstudy").to_csv(path, index=False)
    words = ["fit", path, "Reaction ~ Days + (1 | Subject)", "--plot", target]
    done = subprocess.run(
        [sys.executable, "-m", "pymlm", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode == 0) == (said is None), done.stderr
    assert "Traceback" not in done.stderr
    if said is None:
        assert target.read_bytes().startswith(b"\x89PNG")
    else:
        assert said in done.stderr
