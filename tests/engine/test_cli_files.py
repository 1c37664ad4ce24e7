"""The command line: what it reads, several files, and where its output goes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.data_files import _EXACT, found_separator, read_data
from pymlm.errors import DataError
from tests.engine.test_cli import FORMULA, run
from tests.native import assert_close

#: The text that each writer makes of a frame; all of them hold the same numbers.
WRITTEN = {
    "a.csv": lambda d: d.to_csv(index=False),
    "semicolons.csv": lambda d: d.to_csv(index=False, sep=";"),
    "decimal-commas.csv": lambda d: d.to_csv(index=False, sep=";", decimal=","),
    "quoted-commas.csv": lambda d: d.to_csv(
        index=False, decimal=",", quoting=csv.QUOTE_ALL, float_format="%.17g"
    ),
    "tabs.csv": lambda d: d.to_csv(index=False, sep="\t"),
    "tabs.tsv": lambda d: d.to_csv(index=False, sep="\t", decimal=","),
    "bars.txt": lambda d: d.to_csv(index=False, sep="|"),
    "mark.csv": lambda d: "\ufeff" + d.to_csv(index=False),
    "windows.csv": lambda d: d.to_csv(index=False, lineterminator="\r\n"),
}


@pytest.fixture(scope="module")
def frame(sleepstudy):
    names = sleepstudy["Subject"].astype(str)
    return sleepstudy.assign(Subject="s;" + names, note='a, "b"', Reaction=sleepstudy["Reaction"])


@pytest.mark.parametrize("name", WRITTEN)
def test_every_way_to_write_columns_is_read_to_the_last_bit(name, frame, tmp_path):
    path = tmp_path / name
    path.write_text(WRITTEN[name](frame), encoding="utf-8", newline="")
    found = read_data(path)
    assert found.columns.tolist() == frame.columns.tolist()
    for column in ("Reaction", "Days"):
        np.testing.assert_array_equal(found[column], frame[column])
    assert found["Subject"].tolist() == frame["Subject"].tolist()


def test_compressed_utf16_and_parquet_files_are_read(frame, tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    (tmp_path / "b.txt").write_bytes(frame.to_csv(index=False, sep="\t").encode("utf-16"))
    frame.to_parquet(tmp_path / "c.pq")
    frame.to_feather(tmp_path / "d.feather")
    for path in tmp_path.iterdir():
        assert read_data(path)["Reaction"].tolist() == frame["Reaction"].tolist(), path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("g;y\na;1,234\nb;2,500\n", "'y' writes '1,234', whose comma may mark decimals or"),
        ("g;x;y\na;0.5;1,5\nb;1;2,5\n", "'y' writes '1,5', and column 'x' has decimal points"),
        ("g;y\na;1.234,5\nb;2.000,0\n", "'1.234,5', with a mark for thousands"),
        ('g,y\na,"1,234.5"\n', "'1,234.5', with a mark for thousands"),
        ("", "is empty"),
        ("a,b\n1,2\n3,4,5\n", "cannot be read"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text, says, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DataError) as told:
        read_data(path)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_the_options_decide(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("g;y\na;1,234\nb;2,500\n")
    assert read_data(path, decimal=",")["y"].tolist() == [1.234, 2.5]
    assert read_data(path, decimal=".")["y"].tolist() == ["1,234", "2,500"]
    path.write_text("g:y\na:1\n")
    assert read_data(path, separator=":").columns.tolist() == ["g", "y"]


def test_words_that_may_be_levels_are_not_missing(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("dose,y\nNone,1\nnull,NA\n,3\n")
    found = read_data(path)
    assert found["dose"].tolist()[:2] == ["None", "null"]
    assert found["dose"].isna().tolist() == [False, False, True]
    assert found["y"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a;b;c\n1,5,2;3;4\n", ";"),
        ('"x;y",b\n1,2\n', ","),
        ("only\n1\n", ","),
        ("name, first;b\n1;2\n", ";"),
    ],
)
def test_separators(text, separator):
    assert found_separator(text) == separator


# --- through a process --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory, sleepstudy):
    folder = tmp_path_factory.mktemp("files")
    half = sleepstudy["Subject"].astype(str) < "335"
    sleepstudy.to_csv(folder / "all.csv", index=False, sep=";", decimal=",")
    sleepstudy[half].to_csv(folder / "half.csv", index=False)
    sleepstudy.head(3).to_csv(folder / "bad.csv", index=False)
    return folder


def test_standard_input_in_several_kinds(sleepstudy):
    m = mlm.lmer(FORMULA, sleepstudy)
    content = {"text": sleepstudy.to_csv(index=False, sep=";", decimal=",").encode()}
    buffer = io.BytesIO()
    sleepstudy.to_parquet(buffer)
    content["parquet"] = buffer.getvalue()
    for kind, given in content.items():
        words = [sys.executable, "-m", "pymlm", "fit", "-", FORMULA, "--ddf", "KR"]
        done = subprocess.run(words, input=given, capture_output=True, check=False)
        assert done.returncode == 0, (kind, done.stderr)
        told = str(m.summary(ddf="KR")).replace("Data: sleepstudy", "Data: stdin")
        assert done.stdout.decode() == told + "\n"


def test_one_bad_file_does_not_stop_the_others(files):
    words = ["fit", files / "bad.csv", files / "half.csv", files / "all.csv", FORMULA]
    done = run(*words)
    assert done.returncode == 2
    headings = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert headings == [f"== {files / 'half.csv'} ==", f"== {files / 'all.csv'} =="]
    assert done.stderr.startswith(f"pymlm: {files / 'bad.csv'}: R: grouping factors must have")
    assert len(done.stderr.splitlines()) == 1
    answers = json.loads(run(*words, "--format", "json").stdout)
    assert set(answers) == {str(p) for p in words[1:-1]}
    assert "grouping factors" in answers[str(files / "bad.csv")]["error"]
    table = pd.read_csv(io.StringIO(run(*words, "--format", "csv").stdout))
    assert table["file"].unique().tolist() == [str(files / "half.csv"), str(files / "all.csv")]


def test_csv_has_fixed_and_random_effects_with_all_digits(files, sleepstudy):
    done = run("fit", files / "all.csv", FORMULA, "--format", "csv")
    found = pd.read_csv(io.StringIO(done.stdout), **_EXACT)
    expected = mlm.lmer(FORMULA, sleepstudy).tidy(conf_int=True).to_frame()
    assert found["term"].tolist() == expected["term"].tolist()
    assert "sd__(Intercept)" in found["term"].tolist()
    for column in ("estimate", "std_error", "df", "p_value", "conf_low"):
        assert_close(found[column].dropna(), expected[column].dropna())


def test_each_file_has_its_own_model_file_and_picture(files, tmp_path):
    names = ["half", "all"]
    targets = {"--save": "{}.rds", "--to-r": "{}.R", "--plot": "{}.png"}
    words = [w for option, name in targets.items() for w in (option, tmp_path / name)]
    done = run("fit", *(files / f"{n}.csv" for n in names), FORMULA, *words)
    assert done.returncode == 0, done.stderr
    for n, rows in zip(names, (80, 180), strict=True):
        assert mlm.load_model(tmp_path / f"{n}.rds").nobs == rows
        assert (tmp_path / f"{n}.png").read_bytes().startswith(b"\x89PNG")
        assert "lmer" in (tmp_path / f"{n}.R").read_text()
    done = run("fit", files / "half.csv", files / "all.csv", FORMULA, "--save", "one.rds")
    assert done.returncode == 2
    assert "--save one.rds: of several files write {} in its name" in done.stderr


def test_a_reader_may_leave(files, tmp_path):
    """As `| head -1` does: no traceback, code 0, and what is to be saved is saved."""
    target = tmp_path / "m.rds"
    for more in (["--save", target], [files / "half.csv"]):
        given = [*more, FORMULA] if len(more) == 1 else [FORMULA, *more]
        words = [sys.executable, "-m", "pymlm", "fit", files / "all.csv", *given]
        with subprocess.Popen(
            list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            process.stdout.close()
            said = process.stderr.read()
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert "Exception ignored" not in said
    assert mlm.load_model(target).nobs == 180


def test_a_full_disk_is_told(files):
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "pymlm", "fit", str(files / "all.csv"), FORMULA]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "pymlm: cannot write: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fit"], "Missing argument 'FILE...'"),
        (["fit", "a.csv"], "Missing argument"),
        (["ftt"], "No such command 'ftt'"),
        (["fit", "a.csv", "y ~ x", "--nope"], "No such option: --nope"),
        (["fit", "a.csv", "y ~ x", "--format", "xls"], "'xls' is not one of"),
        (["fit", "-", "y ~ x + (1 | g)"], "standard input is empty"),
        (["fit", ".", "y ~ x + (1 | g)"], "'.' is a folder"),
        (["fit", "{all}", FORMULA, "--ml", "--family", "poisson"], "--ml is for linear models"),
        (["fit", "{all}", FORMULA, "--decimal", ";"], "--decimal is . or ,"),
        (["fit", "{all}", FORMULA, "--sep", ";;"], "--sep is one character"),
        (["fit", FORMULA, "{all}"], "the formula goes last: pymlm fit"),
        # Before a fit: nothing is printed yet.
        (["fit", "{all}", FORMULA, "--plot", "a.bmp"], "its name must end in one of .png"),
        (["fit", "{all}", FORMULA, "--plot", "a"], "its name must end in one of .png"),
        (["fit", "{all}", FORMULA, "--plot", "/no/a.png"], "no such folder as its parent"),
        (["fit", "{all}", FORMULA, "--save", "/no/a.rds"], "no such folder as its parent"),
        (["fit", "{all}", FORMULA, "--to-r", "/no/a.R"], "no such folder as its parent"),
    ],
)
def test_a_wrong_command_line_ends_with_one_line_and_code_2(words, says, files):
    done = run(*(str(w).replace("{all}", str(files / "all.csv")) for w in words), stdin=-3)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_help_has_examples_and_exit_codes():
    help_of_fit = run("fit", "--help").stdout
    assert 'pymlm fit data.csv "score ~ x + (1 | school)" --factor school --ddf KR' in help_of_fit
    whole = run("--help")
    assert whole.returncode == 0
    assert "Exit codes: 0 done" in whole.stdout
    assert run().returncode == 2
    assert "Usage: " in run().stderr
