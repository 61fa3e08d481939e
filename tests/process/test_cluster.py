"""Jobs on a Dask cluster to which everybody shows a certificate."""

from __future__ import annotations

import functools
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plasticity import parallel
from plasticity.errors import PlasticityError

distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")

import dask  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
NAMES = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")  # of the variables of the environment, behind DASK_DISTRIBUTED__COMM__TLS__


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """A certificate signed by itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}"]
    subprocess.run([*asked, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True, timeout=60)
    return str(cert), str(key)


def configured(ca: str, cert: str, key: str):
    """As Dask is by the variables that the message names."""
    named = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in zip(NAMES, (ca, cert, key), strict=True)}
    tls = {"ca_file": ca, "client": {"cert": cert, "key": key}}
    assert dask.config.collect_env(named) == {"distributed": {"comm": {"tls": tls}}}
    at = "distributed.comm.tls"
    return dask.config.set({f"{at}.ca-file": ca, f"{at}.client.cert": cert, f"{at}.client.key": key})


double = functools.partial(lambda item, tell: 2 * item)  # goes to the worker as a whole, which knows no module of tests


@pytest.fixture
def secured(tmp_path):
    """The address of a scheduler with a worker, both started as the page of `simulations` says, and their certificate and key."""
    if not shutil.which("openssl"):
        pytest.skip("makes certificates with openssl, which is not installed")
    cert, key = certificate(tmp_path, "ours")
    tls = ["--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key]
    file = tmp_path / "scheduler.json"
    dask_ = [sys.executable, "-m", "dask"]
    here = {
        "cwd": tmp_path,
        "env": {**os.environ, "PYTHONPATH": str(TOP)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
    }
    places = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = [*dask_, "scheduler", "--protocol", "tls", "--port", "0", *places, *tls, "--scheduler-file", str(file)]
    started = [subprocess.Popen(scheduler, **here)]
    try:
        address = wait_for(lambda: file.exists() and file.read_text() and json.loads(file.read_text())["address"])
        worker = [*dask_, "worker", address, "--nthreads", "1", "--no-nanny", *places, *tls, "--local-directory", str(tmp_path)]
        started.append(subprocess.Popen(worker, **here))
        yield address, cert, key
    finally:
        for process in reversed(started):
            process.kill()
            process.communicate()


def wait_for(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if value := found():
                return value
        except (ValueError, PlasticityError):  # half a file; no workers yet
            pass
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds} s")


def doubled(address: str) -> dict[int, int]:
    with parallel.cluster(address):
        return dict(parallel.each(double, [1, 2, 3]))


@pytest.mark.full
def test_jobs_go_over_tls_with_the_right_certificate_and_with_no_other(secured, tmp_path):
    address, cert, key = secured
    assert address.startswith("tls://")
    with configured(cert, cert, key):
        assert wait_for(lambda: doubled(address)) == {1: 2, 2: 4, 3: 6}
    other, other_key = certificate(tmp_path, "other")
    for values in ((other, other, other_key), (str(tmp_path / "not there"), cert, key), (cert, cert, cert)):
        with configured(*values), pytest.raises(PlasticityError, match="certificates that are configured here") as told:
            doubled(address)
        assert set(re.findall(r"__TLS__(\w+)", str(told.value))) == set(NAMES)
    with pytest.raises(PlasticityError, match=r"\(TypeError\); set DASK_"):  # without any
        doubled(address)
    with pytest.raises(PlasticityError, match="no Dask scheduler answers at tcp:"):
        doubled(address.replace("tls:", "tcp:"))


def test_a_client_that_failed_is_gone_when_the_next_one_starts():
    """Its end takes distributed's lock: while another client starts, holding it, both would wait for ever."""
    for _ in range(2):
        with (
            pytest.raises(PlasticityError, match="no Dask scheduler answers at tls://127.0.0.1:9"),
            parallel.cluster("tls://127.0.0.1:9"),
        ):
            pass
    assert not any(isinstance(thing, distributed.Client) for thing in gc.get_objects())
