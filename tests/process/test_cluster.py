"""Jobs on a Dask cluster to which everybody shows a certificate."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plasticity import parallel
from plasticity.errors import PlasticityError

distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")

import dask  # noqa: E402

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


def double(item: int, tell: parallel.Progress) -> int:
    return 2 * item


def test_jobs_go_over_tls_with_the_right_certificate_and_with_no_other(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("makes certificates with openssl, which is not installed")
    (cert, key), (other, other_key) = certificate(tmp_path, "ours"), certificate(tmp_path, "other")
    roles = ("scheduler", "worker", "client")
    ours = {f"tls_{role}_cert": cert for role in roles} | {f"tls_{role}_key": key for role in roles}
    security = distributed.Security(tls_ca_file=cert, require_encryption=True, **ours)
    settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(protocol="tls://", security=security, local_directory=str(tmp_path), **settings) as local:
        address = local.scheduler_address
        assert address.startswith("tls://")
        with configured(cert, cert, key), parallel.cluster(address):
            assert dict(parallel.each(double, [1, 2, 3])) == {1: 2, 2: 4, 3: 6}
        for values in ((other, other, other_key), (str(tmp_path / "not there"), cert, key), (cert, cert, cert)):
            with pytest.raises(PlasticityError, match="with the certificates that are configured here") as told:
                with configured(*values), parallel.cluster(address):
                    raise AssertionError(values)
            assert set(re.findall(r"__TLS__(\w+)", str(told.value))) == set(NAMES)
        with pytest.raises(PlasticityError, match=r"\(TypeError\); set DASK_"), parallel.cluster(address):
            raise AssertionError("without a certificate")
        with pytest.raises(PlasticityError, match="no Dask scheduler answers at tcp:"):
            with parallel.cluster(address.replace("tls:", "tcp:")):
                raise AssertionError("in the clear")
