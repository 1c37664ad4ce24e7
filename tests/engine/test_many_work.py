"""Many fits as work: processes, files, what is lost and what is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, RNotFoundError
from pymlm.many import jobs
from pymlm.many.tables import Tables

K = 40


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(10), 12)
    d = pd.DataFrame({"x": rng.normal(size=120), "g": g})
    for i in range(K):
        d[f"y{i}"] = d.x + rng.normal(size=10)[g] + rng.normal(size=120)
    d["y3"] = 1.0
    return d


ANSWERS = [f"y{i}" for i in range(K)]
FORMULA = "~ x + (1 | g)"


@pytest.fixture(scope="module")
def whole(frame):
    return mlm.fit_many(FORMULA, frame, responses=ANSWERS, progress=False)


def same(ours, theirs):
    for what in ("tidy", "glance", "varcorr", "theta"):
        pd.testing.assert_frame_equal(ours.to_frame(what), theirs.to_frame(what))
    assert ours.failures == theirs.failures
    assert ours.warnings == theirs.warnings


def test_the_numbers_do_not_depend_on_the_processes(frame, whole):
    same(mlm.fit_many(FORMULA, frame, responses=ANSWERS, n_jobs=2, progress=False), whole)


def test_by_group_in_processes(frame):
    d = frame.assign(half=np.where(frame.g % 2, "odd", "even"))
    one = mlm.fit_many("y0 ~ x + (1 | g)", d, by=["half", "g"], progress=False)
    two = mlm.fit_many("y0 ~ x + (1 | g)", d, by=["half", "g"], n_jobs=2, progress=False)
    same(one, two)  # one level a group: refused by lme4, each for itself
    assert len(one.failures) == 10
    same(
        mlm.fit_many("y0 ~ x + (1 | g)", d, by="half", progress=False),
        mlm.fit_many("y0 ~ x + (1 | g)", d, by="half", n_jobs=2, progress=False),
    )


def test_files(frame, whole, tmp_path):
    folder = tmp_path / "fits"
    fits = mlm.fit_many(FORMULA, frame, responses=ANSWERS, to=folder, progress=False)
    same(fits, whole)
    tidy = pd.read_parquet(folder / "tidy")
    good = whole.to_frame().dropna(subset="estimate")
    assert tidy["estimate"].tolist() == good["estimate"].tolist()
    assert pd.read_parquet(folder / "failures").response.tolist() == ["y3"]
    assert not list(folder.rglob("*.part"))
    with pytest.raises(DataError, match="resume="):
        mlm.fit_many(FORMULA, frame, responses=ANSWERS, to=folder)


def test_resume_does_the_rest(frame, whole, tmp_path, monkeypatch):
    folder = tmp_path / "fits"
    mlm.fit_many(FORMULA, frame, responses=ANSWERS[:9], to=folder, progress=False)
    done = []
    real = jobs.run_all
    monkeypatch.setattr(
        "pymlm.many.fitting.run_all", lambda n, *a: (done.extend(n), real(n, *a))[1]
    )
    fits = mlm.fit_many(FORMULA, frame, responses=ANSWERS, resume=folder, progress=False)
    same(fits, whole)
    assert done == list(range(9, K))
    assert fits["y2"].nobs == 120


def test_files_that_cannot_be(frame, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no such folder"):
        mlm.fit_many(FORMULA, frame, responses=["y0"], resume=tmp_path / "none")
    with pytest.raises(DataError, match="parent"):
        mlm.fit_many(FORMULA, frame, responses=["y0"], to=tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file"):
        mlm.fit_many(FORMULA, frame, responses=["y0"], to=tmp_path / "file")
    other = tmp_path / "other"
    mlm.fit_many("y0 ~ x + (1 | g)", frame, by="g", to=other, progress=False)
    with pytest.raises(DataError, match="another call"):
        mlm.fit_many(FORMULA, frame, responses=["y0"], resume=other)
    again = mlm.fit_many("y0 ~ x + (1 | g)", frame, by="g", resume=other, progress=False)
    assert len(again.failures) == len(pd.read_parquet(other / "failures")) == 10  # none has two g

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(DataError, match="No space left"):
        mlm.fit_many(FORMULA, frame, responses=ANSWERS, to=tmp_path / "full", progress=False)
    assert isinstance(mlm.ManyFits.partial, mlm.ManyFits)


def test_a_disk_that_is_full_loses_nothing(frame, whole, tmp_path):
    """A real one: what was written before stays whole, and a later run does the rest."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    try:
        with pytest.raises(DataError, match="No space left"):
            mlm.fit_many(
                FORMULA, frame, responses=ANSWERS, to=disk / "fits", progress=False, ranef=True
            )
        assert "not done" in repr(mlm.ManyFits.partial)
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        fits = mlm.fit_many(
            FORMULA, frame, responses=ANSWERS, resume=disk / "fits", progress=False, ranef=True
        )
        same(fits, whole)
        written = pd.read_parquet(disk / "fits" / "tidy")
        assert written.groupby("response").size().eq(2).all()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("keep", ["tables", "models"])
def test_a_worker_without_r_is_an_error_and_no_failure_of_a_fit(frame, monkeypatch, keep):
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)  # workers that have started R
    monkeypatch.setenv("R_HOME", "/nonexistent")
    try:
        with pytest.raises(RNotFoundError, match="a worker process cannot start R: R_HOME"):
            mlm.fit_many(FORMULA, frame, responses=ANSWERS, n_jobs=2, progress=False, keep=keep)
        assert "RNotFoundError" not in {f.error for f in mlm.ManyFits.partial.failures.values()}
    finally:
        get_reusable_executor().shutdown(wait=True)


def test_ctrl_c_keeps_what_is_done(frame, whole):
    big = pd.concat([frame] * 40, ignore_index=True)
    big["g"] = np.arange(len(big)) // 8
    timer = threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT))

    def work():
        for _ in range(200):
            mlm.fit_many("~ x + (x | g)", big, responses=ANSWERS, progress=False)

    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        timer.cancel()
    partial = mlm.ManyFits.partial
    assert partial is not None
    assert "not done" in repr(partial) or len(partial) + len(partial.failures) == K
    again = mlm.fit_many(FORMULA, frame, responses=["y0"], progress=False)
    np.testing.assert_array_equal(again.tables["y0"].estimate, whole.tables["y0"].estimate)


def _dies_once(mark, tables):
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return tables


def _made(n):
    out = Tables()
    out.add("glance", np.arange(n), sigma=np.arange(n, dtype=float))
    return out


def _numbered(first, last):
    time.sleep(0.02)  # so that others are handed out while results come
    out = Tables()
    out.add("glance", np.arange(last - first), sigma=np.arange(first, last, dtype=float))
    return out


def test_many_chunks_keep_their_numbers(monkeypatch):
    # more chunks than joblib hands out at first: what is still to come is read while results come
    monkeypatch.setattr(jobs, "CHUNK_SECONDS", 0.0)
    got = Tables()
    jobs.run_all(range(60), lambda a, b: (_numbered, (a, b)), 2, False, got.take)
    frame = got.frame("glance")
    np.testing.assert_array_equal(frame.sigma, np.arange(60.0))
    np.testing.assert_array_equal(frame.fit, np.arange(60))


def test_a_killed_worker_s_chunk_is_done_again(tmp_path):
    mark = str(tmp_path / "died")
    got = Tables()

    def work(first, last):
        if first == 0:
            return _made, (last,)
        return _dies_once, (mark, _made(last - first))

    jobs.run_all(range(20), work, 2, False, got.take)
    assert os.path.exists(mark)
    assert got.done == set(range(20))


def _dies(n):
    os.kill(os.getpid(), signal.SIGKILL)


def test_work_that_kills_every_worker_is_an_error():
    with pytest.raises(jobs.WorkersLost, match="died 3 times on the fits 9 to"):
        jobs.run_all(range(20), lambda a, b: ((_made if a == 0 else _dies), (b - a,)), 2, False,
                     lambda t: None)  # fmt: skip


def test_no_work():
    got = Tables()
    jobs.run_all([], lambda a, b: (_made, (b - a,)), 1, False, got.take)
    assert not got.done


def test_nothing_to_fit_is_refused(frame):
    with pytest.raises(ArgumentError, match="responses"):
        mlm.fit_many(FORMULA, frame, responses=[])


DASK = """
import warnings
warnings.simplefilter("ignore")  # of dask's own start
import joblib, os, signal, threading, time
import numpy as np, pandas as pd
import pymlm as mlm
from dask.distributed import Client, LocalCluster

if __name__ == "__main__":
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(10), 12)
    d = pd.DataFrame({"x": rng.normal(size=120), "g": g})
    names = [f"y{i}" for i in range(60)]
    for n in names:
        d[n] = d.x + rng.normal(size=10)[g] + rng.normal(size=120)
    one = mlm.fit_many("~ x + (1 | g)", d, responses=names, progress=False).to_frame()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client, joblib.parallel_config(backend="dask"):
            killer = threading.Timer(1.0, lambda: os.kill(
                next(iter(client.run(os.getpid).values())), signal.SIGKILL))
            killer.start()
            two = mlm.fit_many("~ x + (1 | g)", d, responses=names, n_jobs=2, progress=False)
            killer.join()
    pd.testing.assert_frame_equal(one, two.to_frame())
    print("equal")
"""


def test_a_dask_cluster_gives_the_same_numbers(tmp_path):
    pytest.importorskip("distributed", reason="dask is not installed")
    script = tmp_path / "on_dask.py"
    script.write_text(textwrap.dedent(DASK))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.stdout.strip().endswith("equal"), done.stderr[-2000:]


def test_memory_is_that_of_tables(frame):
    # a model of lme4 keeps some 0.5 MB; a thousand fits must not keep a thousand models
    with open("/proc/self/statm") as f:
        before = int(f.read().split()[1])
    names = [f"y{i}" for i in range(K) if i != 3]
    for _ in range(25):
        mlm.fit_many(FORMULA, frame, responses=names, progress=False)
    time.sleep(0)
    with open("/proc/self/statm") as f:
        grown = (int(f.read().split()[1]) - before) * os.sysconf("SC_PAGE_SIZE") / 2**20
    assert grown < 150
