"""Attention-gated plasticity: its change is the gradient of the chosen action; the spiking network, its twin, its controls."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from brian2 import ms
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from bridges.models import SurrogateTwin
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.learners import Guessing, RateBrainProp, SpikingBrainProp
from plasticity.learners.rate_brainprop import activities, changes
from plasticity.networks.attention_gated import AttentionGated
from plasticity.saving import load
from plasticity.tasks import CuedDigits, Digits

needs_compiler = pytest.mark.skipif(not compiler(), reason="thousands of trials take minutes without a C++ compiler")


def test_a_change_is_the_gradient_of_the_chosen_actions_squared_error():
    """Sources: Pozzi, Bohte & Roelfsema 2020, NeurIPS 33; held to PyTorch's autograd."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        streams, cue = rng.random((7, 2, 12)), rng.integers(2, size=7)
        weights, gate = [rng.standard_normal(shape) for shape in ((12, 9), (9, 8), (8, 4))], rng.random((2, 2))
        rates = activities(streams, cue, weights, gate)
        chosen, reward = rng.integers(4, size=7), rng.random(7)
        ours = changes(streams, cue, rates, chosen, reward, weights, gate)

        leaves = [torch.tensor(w, requires_grad=True) for w in (*weights, gate)]
        layer = (leaves[-1][torch.tensor(cue)][:, :, None] * torch.tensor(streams)).sum(dim=1)
        for w in leaves[:2]:
            layer = torch.relu(layer @ w)
        predicted = (layer @ leaves[2])[torch.arange(7), torch.tensor(chosen)]
        (0.5 * (torch.tensor(reward) - predicted) ** 2).sum().backward()
        flat = np.concatenate([change.ravel() for change in (*ours.weights, ours.gate)])
        gradient = np.concatenate([leaf.grad.numpy().ravel() for leaf in leaves])
        cosine = -(flat @ gradient) / np.linalg.norm(flat) / np.linalg.norm(gradient)
        assert cosine > 1 - 1e-12
        np.testing.assert_allclose(flat, -gradient, rtol=1e-10, atol=1e-12)
        fixed = changes(streams, cue, rates, chosen, reward, [w + rng.standard_normal(w.shape) for w in weights], gate)
        assert not np.allclose(fixed.weights[0], ours.weights[0])  # other feedback, another change: the test can fail


SHAPES = [(2, (9, 7)), *(pytest.param(n, hidden, marks=pytest.mark.full) for n, hidden in ((2, (20,)), (1, (15,)), (3, (9, 8))))]


@pytest.mark.full
@pytest.mark.parametrize(("streams", "hidden"), SHAPES)
@needs_compiler
def test_the_twin_fires_the_same_spikes(streams, hidden):
    """Random networks, float64: every spike of every layer, and every choice."""
    features, actions, trials = 12, 5, 40
    net = AttentionGated(streams=streams, features=features, hidden=hidden, actions=actions, record=True, block=trials)
    sizes = (features, *hidden, actions)
    program = net.program()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        weights = [rng.standard_normal(shape) * 0.7 for shape in zip(sizes[:-1], sizes[1:], strict=True)]
        gate = rng.dirichlet(np.ones(streams), size=streams)
        cue = rng.integers(streams, size=trials)
        twin = SurrogateTwin(streams, features, actions, layers=hidden).double()
        given = {"rates": rng.random((trials, streams * features)) * 240, "label": np.zeros(trials), "learning": 0.0}
        for k, w in enumerate(weights, start=1):
            size = twin.spikes if k == 1 else twin.levels
            given |= {f"w_{k}": w.ravel(), f"drive_{k}": 1 / size if k == len(weights) else twin.levels / size}
        if streams > 1:
            given |= {"w_gate": gate.ravel(), "cue": cue.astype(float)}
        out = program.run(seed, given, duration=trials * 50 * ms)

        def trains(name, neurons, out=out):
            found = np.zeros((trials * 50, neurons))
            np.add.at(found, ((out[f"{name}.t"] * 1e3 + 0.5).astype(int), out[f"{name}.i"]), 1)
            return found.reshape(trials, 50, neurons)

        with torch.no_grad():
            for layer, w in zip((*twin.maps, twin.head), weights, strict=True):
                layer.weight.copy_(torch.tensor(w.T))
            twin.query.weight.copy_(torch.log(torch.tensor(gate)))
            shown = torch.tensor(trains("streams", streams * features)).reshape(trials, 50, streams, features)
            fired = twin.fire(shown, twin.weights(shown[:, 0], torch.tensor(cue)))
            values = twin.head(fired.activities)
        for name, ours in zip(net.layers[:-1], fired.layers, strict=True):
            theirs = trains(name, ours.shape[2])
            assert theirs.sum() > trials
            np.testing.assert_array_equal(ours.numpy(), theirs, err_msg=name)
        np.testing.assert_array_equal(values.argmax(dim=1).numpy(), out["choice"])


@pytest.mark.parametrize(("streams", "hidden"), [SHAPES[0], SHAPES[2]])  # networks of the test above, compiled once
@needs_compiler
def test_weights_change_as_in_a_loop_over_trials(streams, hidden):
    """From the recorded spikes and choices, one trial after the other; traces forget with 10 s, spikes after a phase are late."""
    features, actions, trials, steps, eta = 12, 5, 40, 50, 0.005
    net = AttentionGated(streams=streams, features=features, hidden=hidden, actions=actions, record=True, block=trials)
    sizes, top = (features, *hidden, actions), len(hidden) + 1
    due = {phase: steps - len(net.phases) + k for k, phase in enumerate(net.phases)}
    age = steps - 1 - np.arange(steps)[:, None]
    left = np.where(age > 0, np.exp(-age / 1e4), 0)  # of a spike's trace when weights change; in that very step it is too late
    lowest = left if streams > 1 else np.where(age > 0, (1 - 1e-4) ** age, 0)  # inputs are integrated by Euler's method
    for seed, eta_gate in enumerate((1e-3, 2e-3, 0.2)):  # the last closes both gate units at times: then they are equal again
        rng = np.random.default_rng(seed)
        weights, back = (
            [1.5 * rng.standard_normal(shape) for shape in zip(sizes[:-1], sizes[1:], strict=True)] for _ in range(2)
        )
        gate, start, shut = np.full((streams, streams), 1 / streams), [w.copy() for w in weights], 0
        label, cue = rng.integers(actions, size=trials), rng.integers(streams, size=trials)
        rates = rng.random((trials, streams * features)) * 240
        given = {"rates": rates, "label": label.astype(float), "learning": 1.0, "explore": 0.3}
        drive = {k: 1 / 12 if k == 1 else 1.0 if k < top else 1 / 8 for k in range(1, top + 1)}
        for k in range(1, top + 1):
            given |= {f"w_{k}": weights[k - 1].ravel(), f"back_{k}": back[k - 1].ravel(), f"eta_{k}": eta, f"drive_{k}": drive[k]}
        if streams > 1:
            given |= {"w_gate": gate.ravel(), "cue": cue.astype(float), "eta_gate": eta_gate, "per_spike": 1 / 12}
        out = net.program().run(seed, given, duration=trials * steps * ms)

        def trains(name, neurons, out=out):
            found = np.zeros((trials * steps, neurons))
            np.add.at(found, ((out[f"{name}.t"] * 1e3 + 0.5).astype(int), out[f"{name}.i"]), 1)
            return found.reshape(trials, steps, neurons)

        shown = trains("streams", streams * features)
        layers = [trains(name, n) for name, n in zip(net.layers[:-1], sizes[:-1], strict=True)]
        for n in range(trials):
            chosen = int(out["choice"][n])
            predicted = drive[top] * layers[-1][n, : due["compare"] + 1].sum(axis=0) @ weights[-1][:, chosen]
            surprise = (chosen == label[n]) - predicted
            if n < trials - 1:
                assert out["surprise"].ravel()[n + 1] == pytest.approx(surprise, abs=1e-9)
            attention = np.eye(actions)[chosen]
            active, told = left[due["choose"]], 1.0
            for k in range(top, 0, -1):
                change = (
                    eta * surprise * np.outer((layers[k - 1][n] * (left if k > 1 else lowest)).sum(axis=0), attention * active)
                )
                attention = back[k - 1] @ (attention * told)  # with the weights before they change
                weights[k - 1], back[k - 1] = weights[k - 1] + change, back[k - 1] + change
                active = (layers[k - 1][n] * left).max(axis=0)  # by the last spike
                told = layers[k - 1][n, : due[f"echo_{k - 1}"]].any(axis=0)
            if streams > 1:
                heard = (shown[n, : due["report"]].sum(axis=0).reshape(streams, features) * attention).sum(axis=1) / 12
                row = (
                    gate[cue[n]] + eta_gate * surprise * heard * left[0] * left[1]
                )  # the cue fires in step 0, its gate units in step 1
                row = np.clip(row, 0, 1)
                shut += not row.any()
                gate[cue[n]] = row / row.sum() if row.any() else 1 / streams
        for k in range(1, top + 1):
            assert np.mean(np.abs(weights[k - 1] - start[k - 1]) > 0.01) > 0.05  # it has changed
            np.testing.assert_allclose(out[f"w_{k}"].reshape(sizes[k - 1], sizes[k]), weights[k - 1], rtol=0, atol=1e-9)
            np.testing.assert_allclose(out[f"back_{k}"].reshape(sizes[k - 1], sizes[k]), back[k - 1], rtol=0, atol=1e-9)
        if streams > 1:
            assert shut > 0 if seed == 2 else np.abs(gate - 1 / streams).max() > 0.001
            np.testing.assert_allclose(out["w_gate"].reshape(streams, streams), gate, rtol=0, atol=1e-9)


@pytest.mark.full
@needs_compiler
def test_weights_move_both_ways():
    draw = Digits(train=60, validation=20, test=20).draw(np.random.default_rng(0))
    learner = SpikingBrainProp(streams=1, gate="none", passes=1, hidden=(10,)).fit(draw.train.X, draw.train.y)
    twin = SurrogateTwin(1, 64, 10, hidden=10).double()
    twin.take_over(learner)
    before = [w.copy() for w in learner.weights_]
    twin.hand_over(learner)
    for was, now in zip(before, learner.weights_, strict=True):
        np.testing.assert_array_equal(was, now)
    for streams, hidden, told in ((1, 11, "has layers"), (2, 10, "one stream has no gate")):
        other = SurrogateTwin(streams, 64, 10, hidden=hidden)
        for move in (other.take_over, other.hand_over):
            with pytest.raises(WrongUse, match=told):
                move(learner)
    with pytest.raises(WrongUse, match="a Guessing has another network"):
        twin.take_over(Guessing())
    with pytest.raises(NotFittedError):
        twin.take_over(SpikingBrainProp())
    with pytest.raises(WrongUse, match="has no encoder poisson"):
        twin.take_over(learner.set_params(encoder="poisson"))
    with pytest.raises(WrongUse, match="has no cells='on_off'"):
        twin.take_over(learner.set_params(encoder="regular", cells="on_off"))


@pytest.mark.parametrize("kind", [pytest.param(SpikingBrainProp, marks=pytest.mark.full), RateBrainProp])
def test_on_and_off_cells_tell_differences_to_the_mean_of_the_training_trials(kind, tmp_path):
    """As if they had been made by hand of two streams and a cue, to the bit, at any contrast; saved and loaded the same."""
    draw = CuedDigits(train=60, validation=20, test=20).draw(np.random.default_rng(0))
    mean = draw.train.stimulus.mean(axis=(0, 1))
    largest = np.abs(draw.train.stimulus - mean).max()

    def by_hand(part):
        apart = (part.stimulus - mean) / largest
        both = np.concatenate([np.clip(apart, 0, 1), np.clip(-apart, 0, 1)], axis=2)
        return np.hstack([both.reshape(len(both), -1), np.eye(2)[part.cue]])

    learner, plain = (kind(passes=1, hidden=(10,), cells=cells) for cells in ("on_off", "direct"))
    learner.fit(draw.train.X, draw.train.y)
    plain.fit(by_hand(draw.train), draw.train.y)
    np.testing.assert_array_equal(learner.mean_stimulus_, mean)
    for own, other in zip(learner.weights_, plain.weights_, strict=True):
        np.testing.assert_array_equal(own, other)
    np.testing.assert_array_equal(learner.predict(draw.test.X), plain.predict(by_hand(draw.test)))
    learner.save(tmp_path / "kept")
    np.testing.assert_array_equal(load(tmp_path / "kept").predict(draw.test.X), learner.predict(draw.test.X))


@pytest.mark.full
def test_weights_of_other_layers_are_refused():
    """Those back, too: turned round they are as many numbers, and would be learnt with in silence."""
    draw = Digits(train=40, validation=10, test=10).draw(np.random.default_rng(0))
    learner = SpikingBrainProp(streams=1, gate="none", passes=1, hidden=(10,)).fit(draw.train.X, draw.train.y)
    state = learner.state()
    turned = [w.T for w in state["feedback_"]]
    told = "feedback_ lie between layers of the sizes 10 and 64, 10 and 10; hidden=.* need 64 and 10, 10 and 10"
    with pytest.raises(WrongUse, match=told):
        clone(learner).restore(state | {"feedback_": turned})
    for other in (clone(learner).set_params(hidden=(12,)), clone(learner).set_params(hidden=(10, 10))):
        with pytest.raises(WrongUse, match="weights_ lie between"):
            other.restore(state)
    with pytest.raises(WrongUse, match="weights_ lie between"):
        RateBrainProp(streams=1, hidden=(12,)).restore({key: state[key] for key in ("weights_", "classes_")})
    with pytest.raises(WrongUse, match="state has no feedback_"):
        clone(learner).restore({key: value for key, value in state.items() if key != "feedback_"})
    learner.feedback_ = turned
    with pytest.raises(WrongUse, match="feedback_ lie between"):
        learner.learn_more(draw.train.X, draw.train.y)


def test_bright_images_are_told_and_learnt_with_on_and_off_cells():
    draw = Digits(train=1200, validation=100, test=20).draw(np.random.default_rng(0))
    bright, also = 1 - 0.4 * draw.train.X, 1 - 0.4 * draw.validation.X
    right = {}
    for cells in ("direct", "on_off"):
        learner = RateBrainProp(streams=1, hidden=(100,), passes=4, cells=cells)
        if cells == "direct":
            with pytest.warns(UserWarning, match="have most of their squared length in common, as bright images do"):
                learner.fit(bright, draw.train.y)
        else:
            learner.fit(bright, draw.train.y)
        right[cells] = np.mean(learner.predict(also) == draw.validation.y)
    assert right["on_off"] > 0.85 > 0.6 > right["direct"]
    with pytest.raises(WrongUse, match="every stimulus in X is the same"):
        SpikingBrainProp(streams=1, cells="on_off").fit(np.full((4, 3), 0.5), [0, 1, 0, 1])


def test_rate_units_learn_the_gate_from_reward():
    draw = CuedDigits(train=2000, validation=300, test=20).draw(np.random.default_rng(3))
    learner = RateBrainProp(hidden=(200,), passes=5).fit(draw.train.X, draw.train.y)
    assert np.mean(learner.predict(draw.validation.X) == draw.validation.y) > 0.85
    own = np.eye(2, dtype=bool)
    assert (learner.gate_weights_[own] > 5 * learner.gate_weights_[~own]).all()


@pytest.mark.full
@needs_compiler
def test_spikes_learn_the_gate_from_reward_and_not_without_it():
    """2000 trials eight times over; `plasticity compare` has the whole of it. The best without the cue is 1/2."""
    draw = CuedDigits(train=2000, validation=300, test=20).draw(np.random.default_rng(3))
    found = {}
    for name, settings in {"learned": {}, "cut": {"gate": "cut"}, "rewards": {"reward": "shuffled"}}.items():
        learner = SpikingBrainProp(hidden=(100,), explore=0.02, passes=8, **settings).fit(draw.train.X, draw.train.y)
        found[name] = np.mean(learner.predict(draw.validation.X) == draw.validation.y)
        if name == "learned":
            own = np.eye(2, dtype=bool)
            assert (learner.gate_weights_[own] > 5 * learner.gate_weights_[~own]).all()
    assert found["learned"] > 0.8
    assert found["cut"] < 0.6
    assert found["rewards"] < 0.25


@pytest.mark.full
@needs_compiler
def test_three_hidden_layers_learn_too():
    """A layer that started with less activity than the one below would fall silent on top: nothing is learnt then."""
    draw = CuedDigits(train=2000, validation=300, test=20).draw(np.random.default_rng(3))
    learner = SpikingBrainProp(hidden=(200, 200, 200), passes=20).fit(draw.train.X, draw.train.y)
    assert np.mean(learner.predict(draw.validation.X) == draw.validation.y) > 0.9


def test_a_trial_too_short_for_its_end_is_refused():
    with pytest.raises(WrongUse, match="too short"):
        SpikingBrainProp(trial_ms=8.0, spikes=2.0).check()
    with pytest.raises(WrongUse, match="hidden"):
        AttentionGated(streams=1, features=4, hidden=(), actions=2)
