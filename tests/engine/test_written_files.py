"""What is written goes into a regular file: what else has that name is neither touched nor lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pymlm as mlm
from pymlm.errors import DataError

FORMULA = "Reaction ~ Days + (1 | Subject)"


@pytest.fixture(scope="module")
def model():
    return mlm.lmer(FORMULA, mlm.load_dataset("sleepstudy"))


def by_many(model, path):
    """A folder beside which the path stands: `to=` writes a folder of files."""
    data = mlm.load_dataset("sleepstudy")
    mlm.fit_many(FORMULA, data.assign(h=data["Days"] % 2), by="h", to=path, progress=False)


def by_command(model, path, option):
    data = path.parent / "d.csv"
    mlm.load_dataset("sleepstudy").to_csv(data, index=False)
    from pymlm.cli import app

    done = CliRunner().invoke(app, ["fit", str(data), FORMULA, option, str(path)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise DataError(done.output)


WRITERS = {
    "save": (".rds", lambda m, path: m.save(path)),
    "to_r": (".R", lambda m, path: m.to_r(path)),
    "to_r's data": ("-data.rds", lambda m, p: m.to_r(p.with_name(p.name[:-9] + ".R"))),
    "fit_many": ("", by_many),
    "fit --plot": (".png", lambda m, path: by_command(m, path, "--plot")),
}


def device(path):
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


PLACES = {
    "a device": device,
    "a link to a device": lambda path: path.symlink_to("/dev/null"),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("nothing here"),
    "a loop of links": lambda path: path.symlink_to(path),
    "a folder": lambda path: (path / "x").mkdir(parents=True),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_no_regular_file_stays(model, tmp_path, writer, place):
    suffix, write = WRITERS[writer]
    path = tmp_path / f"m{suffix}"
    PLACES[place](path)
    before, null = path.lstat(), os.stat("/dev/null")
    with pytest.raises(DataError, match=r"cannot write|files in it|is a file|no such folder"):
        write(model, path)
    after = path.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert os.stat("/dev/null").st_rdev == null.st_rdev
    assert [p.name for p in tmp_path.iterdir() if p.name not in (path.name, "d.csv")] == []


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "/dev/stdout"])
def test_the_machines_own_devices(model, path):
    before = os.stat(path)
    for write in (model.save, model.to_r):
        with pytest.raises(DataError, match="cannot write"):
            write(path)
    assert os.stat(path).st_rdev == before.st_rdev
    assert not list(Path("/dev").glob("*.rds"))


@pytest.mark.parametrize("writer", ["save", "to_r", "to_r's data"])
def test_a_link_to_a_file_stays_a_link(model, tmp_path, writer):
    suffix, write = WRITERS[writer]
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "r", tmp_path / f"m{suffix}"
    real.write_text("old")
    link.symlink_to(real)
    write(model, link)
    assert link.is_symlink()
    assert real.read_bytes() != b"old"
    assert [p.name for p in (tmp_path / "real").iterdir()] == ["r"]
    if writer == "save":
        assert mlm.load_model(link).nobs == 180
