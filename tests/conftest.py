"""Every test runs on Brian2's NumPy target and from one seed of torch; one that leaves Brian2's global state changed fails."""

from __future__ import annotations

import logging
import signal
import sys

import pytest
from brian2 import defaultclock, prefs
from brian2.devices.device import get_device, reset_device, runtime_device

prefs.codegen.target = "numpy"
logging.getLogger("brian2").setLevel(logging.WARNING)  # otherwise pytest keeps every line of generated code

# What a shell starts in the background ignores these two; the tests that interrupt themselves and their children need them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def state() -> dict[str, object]:
    return {**dict(prefs), "defaultclock.dt": float(defaultclock.dt), "device": get_device()}


@pytest.fixture(autouse=True)
def torch_begins_at_one_seed():
    """A module that a test makes has the weights of every other run; without torch nothing is to do."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def brian2_stays_as_it_was():
    before = state()
    yield
    after = state()
    changed = {name: after[name] for name in before if after[name] is not before[name] and after[name] != before[name]}
    if changed:
        reset_device(runtime_device)
        defaultclock.dt = before["defaultclock.dt"]
        prefs.update({name: before[name] for name in changed if name in prefs})
        pytest.fail(f"the test left Brian2 changed: {changed}")
