"""The network of Diehl & Cook: a second implementation, and what it promises."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from brian2 import ms, second

from plasticity.engine import Program, compiler
from plasticity.errors import WrongUse
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.networks.network import build

DT = 0.5e-3
SPEC = DiehlCook(inputs=12, neurons=4, images=3, presentations=6, shown=60 * ms, rest=40 * ms, trains=True)
STEPS, LIT = 200, 120
IMAGES = np.random.default_rng(5).uniform(80, 240, (3, 12))
NUMBERS = {
    "last": 3, "learn": 1.0, "plastic": 1.0, "first": 2.0, "enough": 5, "total": 9.0, "w_ei": 10.4, "w_ie": 17.0,
    "control.image": -1, "control.count": 99, "control.intensity": 0.0,
}  # fmt: skip
WEIGHTS = np.random.default_rng(6).random((12, 4))


def run(seed: int = 1, presentations: int = 4, spec: DiehlCook = SPEC, **changes: Any) -> dict[str, np.ndarray]:
    """On Brian2's NumPy target: nothing to compile."""
    numbers = spec.values() | NUMBERS | {"images": IMAGES, "plastic.w": WEIGHTS.ravel()} | changes
    return Program(build, spec.structure(), None, {}).run(seed, numbers, duration=presentations * 0.1 * second)


@pytest.fixture(scope="module")
def learnt() -> dict[str, np.ndarray]:
    return run()


def loop(found: dict[str, np.ndarray], presentations: int, state: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
    """The paper's equations step by step, driven by the input spikes of a run, from rest or from the state of another run."""
    e, i = ({key: float(value) for key, value in neuron.parameters.items()} for neuron in (SPEC.excitatory, SPEC.inhibitory))
    rule = {key: float(value) for key, value in SPEC.rule.parameters.items()}
    arriving: dict[int, list[int]] = {}
    for step, k in zip(np.rint(found["input_time"] / DT).astype(int), found["input_neuron"], strict=True):
        arriving.setdefault(int(step), []).append(int(k))
    w, theta = WEIGHTS.copy(), np.full(4, 0.02)
    v, ge, gi, last = np.full(4, e["rest"]), np.zeros(4), np.zeros(4), np.full(4, -(10**6))
    vi, gei, last_i = np.full(4, i["rest"]), np.zeros(4), np.full(4, -(10**6))
    pre, post, slow = np.zeros(12), np.zeros(4), np.zeros(4)
    if state is not None:
        w, theta = state["plastic.w"].reshape(12, 4), state["excitatory.theta"]
        v, ge, gi = (state[f"excitatory.{name}"] for name in ("v", "ge", "gi"))
        vi, gei, pre = state["inhibitory.v"], state["inhibitory.ge"], state["inputs.pre_trace"]
        post, slow = state["excitatory.post_trace"], state["excitatory.post_slow"]
        w, pre, post, slow = w.copy(), pre.copy(), post.copy(), slow.copy()  # changed in place
    spikes, inhibitory = [], 0
    for step in range(presentations * STEPS):
        if step % STEPS == 0:
            theta = theta * np.exp(-STEPS * DT / 1e4)
        target = (e["rest"] + ge * e["E_exc"] + gi * -0.1) / (1 + ge + gi)
        free = step - last >= round(e["t_ref"] / DT)
        v = np.where(free, target + (v - target) * np.exp(-DT * (1 + ge + gi) / e["tau_m"]), v)
        target_i = (i["rest"] + gei * i["E_exc"]) / (1 + gei)
        free_i = step - last_i >= round(i["t_ref"] / DT)
        vi = np.where(free_i, target_i + (vi - target_i) * np.exp(-DT * (1 + gei) / i["tau_m"]), vi)
        ge, gi, gei = ge * np.exp(-DT / e["tau_e"]), gi * np.exp(-DT / 2e-3), gei * np.exp(-DT / i["tau_e"])
        pre, post = pre * np.exp(-DT / rule["tau_plus"]), post * np.exp(-DT / rule["tau_minus"])
        slow = slow * np.exp(-DT / rule["tau_y"])
        fired, fired_i = free & (v > e["threshold"] + theta), free_i & (vi > i["threshold"])
        now = arriving.get(step, [])
        inhibitory += int(fired_i.sum())
        gei = gei + 10.4 * fired
        gi = gi + 17 * (fired_i.sum() - fired_i)
        for j in np.flatnonzero(fired):
            w[:, j] = np.clip(w[:, j] + rule["A_plus"] * pre * slow[j], 0, 1)
        for k in now:
            ge = ge + w[k]
            w[k] = np.clip(w[k] - rule["A_minus"] * post, 0, 1)
        if step % STEPS == 0:
            w = np.clip(w * 9.0 / w.sum(axis=0), 0, 1)
        v, theta = np.where(fired, e["reset"], v), theta + 0.05e-3 * fired
        vi = np.where(fired_i, i["reset"], vi)
        last, last_i = np.where(fired, step, last), np.where(fired_i, step, last_i)
        pre[now] = 1
        post[fired], slow[fired] = 1, 1
        spikes += [(step, int(j)) for j in np.flatnonzero(fired)]
    return {"spikes": spikes, "w": w, "theta": theta, "v": v, "slow": slow, "inhibitory": inhibitory}


@pytest.mark.full
def test_the_network_equals_a_loop_over_steps(learnt):
    expected = loop(learnt, 4)
    steps = np.rint(learnt["spike_time"] / DT).astype(int)
    assert list(zip(steps.tolist(), learnt["spike_neuron"].tolist(), strict=True)) == expected["spikes"]
    assert len(expected["spikes"]) > 25 and expected["inhibitory"] > 20
    # 1e-9: hundreds of steps, each good to rounding
    np.testing.assert_allclose(learnt["plastic.w"].reshape(12, 4), expected["w"], atol=1e-9)
    for ours, name in (("excitatory.theta", "theta"), ("excitatory.v", "v"), ("excitatory.post_slow", "slow")):
        np.testing.assert_allclose(learnt[ours], expected[name], atol=1e-9)
    assert np.abs(learnt["plastic.w"] - WEIGHTS.ravel()).max() > 0.01


@pytest.mark.full
@pytest.mark.skipif(not compiler(), reason="runs compiled programs: needs a C++ compiler")
@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-9), ("single", 2e-4)])
def test_the_compiled_network_equals_the_same_loop_within_its_precision(precision, tolerance):
    """Compiled for real: rows of synapses, vectorised exponentials, flags. Single: 800 steps of 1e-7 each, and weights near 1."""
    spec = dataclasses.replace(SPEC, precision=precision)
    found = spec.program().run(1, NUMBERS | {"images": IMAGES, "plastic.w": WEIGHTS.ravel()}, duration=0.4 * second)
    expected = loop(found, 4)
    steps = np.rint(found["spike_time"] / DT).astype(int)
    assert list(zip(steps.tolist(), found["spike_neuron"].tolist(), strict=True)) == expected["spikes"]
    assert len(expected["spikes"]) > 25
    np.testing.assert_allclose(found["plastic.w"].reshape(12, 4), expected["w"], atol=tolerance)
    for ours, name in (("excitatory.theta", "theta"), ("excitatory.v", "v"), ("excitatory.post_slow", "slow")):
        np.testing.assert_allclose(found[ours], expected[name], atol=tolerance)


@pytest.mark.full
def test_input_spikes_come_while_an_image_is_shown_and_at_its_rate():
    found = run(
        3, 40, dataclasses.replace(SPEC, presentations=40, images=40), images=np.tile(IMAGES[:1], (40, 1)), last=40, enough=0
    )
    step = np.rint(found["input_time"] / DT).astype(int)
    assert (step % STEPS).max() < LIT
    expected = 2 * IMAGES[0] * 40 * LIT * DT
    count = np.bincount(found["input_neuron"], minlength=12)
    chi = float(((count - expected) ** 2 / (expected * (1 - 2 * IMAGES[0] * DT))).sum())
    assert chi < 32.9  # chi-square of 12: one run in a thousand is above


def test_images_come_in_their_order_and_one_that_draws_too_few_spikes_again_and_brighter(learnt):
    assert learnt["shown_image"].ravel()[:4].tolist() == [0, 1, 2, 3] and learnt["shown_intensity"].ravel()[:3].tolist() == [
        2,
        2,
        2,
    ]
    assert (learnt["input_time"] < 0.3).all()  # there is no image number 3
    weak = run(2, 6, images=IMAGES * np.array([[0.1], [1], [1]]), enough=4)
    shown, intensity = weak["shown_image"].ravel()[:6], weak["shown_intensity"].ravel()[:6]
    counts = np.bincount((weak["spike_time"] / 0.1 + 1e-6).astype(int), minlength=6)
    assert intensity[:2].tolist() == [2, 3] and shown[:2].tolist() == [0, 0]
    for k in range(5):
        again = counts[k] < 4
        assert shown[k + 1] == shown[k] + (not again) and intensity[k + 1] == (intensity[k] + 1 if again else 2)


def test_nothing_changes_where_learning_is_off():
    found = run(4, learn=0.0, plastic=0.0)
    assert len(found["spike_time"]) > 10
    assert np.array_equal(found["plastic.w"], WEIGHTS.ravel()) and np.all(found["excitatory.theta"] == 0.02)


def test_the_sum_of_each_neurons_weights_is_set_at_each_presentation():
    found = run(5, 1, images=np.zeros((3, 12)), total=3.0)  # small enough that no weight meets its bound
    np.testing.assert_allclose(found["plastic.w"].reshape(12, 4).sum(axis=0), 3.0, rtol=1e-12)


def test_a_run_goes_on_where_another_stopped():
    """Refractoriness alone is not handed on: nobody has spiked for the 40 ms before."""
    half = run(1, 2, enough=0)
    state = {name: half[name] for name in SPEC.state()}
    rest = run(9, 2, enough=0, **state)
    assert rest["shown_image"].ravel()[:2].tolist() == [2, 3]
    expected = loop(rest, 2, state)
    assert np.rint(rest["spike_time"] / DT).astype(int).tolist() == [step for step, _ in expected["spikes"]]
    assert len(expected["spikes"]) > 3
    np.testing.assert_allclose(rest["plastic.w"].reshape(12, 4), expected["w"], atol=1e-9)
    np.testing.assert_allclose(rest["excitatory.theta"], expected["theta"], atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "told"), [({"shown": 60.2 * ms}, "multiple of the time step"), ({"rest": 0 * ms}, "rest=.* must be .* above 0")]
)
def test_times_that_are_no_multiple_of_the_time_step_are_refused(wrong, told):
    with pytest.raises(WrongUse, match=told):
        dataclasses.replace(SPEC, **wrong)
