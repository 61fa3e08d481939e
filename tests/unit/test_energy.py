"""What each side costs: spikes counted twice over, operations by hand, one table for both, and nothing else changed."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest
import torch
from brian2 import SpikeMonitor, Synapses, ms
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bridges.comparison.energy import (
    ASSUMPTIONS,
    AT_SPIKES,
    CHIPS,
    CLOCKED,
    SIZES,
    TABLE,
    EnergyTable,
    breakdown,
    joules,
    prices,
    spent,
)
from bridges.counting import counting, trained
from bridges.models import MODELS
from bridges.torch_classifier import TorchClassifier
from plasticity.datasets import digits
from plasticity.encoders import latency, poisson, regular
from plasticity.engine import Model, Program, compiler
from plasticity.engine.operations import CORE, Costs, Operations, SpikeCounts, inputs, learning, operations, population
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners import DiehlCookClassifier, Guessing, SpikingClassifier
from plasticity.networks.competition import Competition
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.networks.network import build
from plasticity.rules import pair_stdp, synaptic_scaling, triplet_stdp
from plasticity.tasks import CuedDigits

pytestmark = pytest.mark.full


# Operations of a text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v_post += w", (1, 0, 1, 2)),  # w read; v read and written
        ("w = clip(w + dw, w_min, w_max)", (3, 0, 2, 0)),  # two comparisons; dw and the bounds need no memory
        ("dw = -A_minus*trace_post\nw = clip(w + dw, w_min, w_max)", (3, 1, 2, 1)),
        ("x = v**2 + v**3 - sqrt(v)/2", (2, 1 + 2 + 2, 0, 1)),  # v is read once
        ("t - lastspike >= t_ref and v > threshold", (3, 0, 0, 1)),
        ("", (0, 0, 0, 0)),
        # What is constant is folded
        ("v += dt*((rest - v + I)/tau_m)", (2, 1, 0, 2)),  # (rest + I) - v, and v += of it; times dt/tau_m
        ("v += dt*(-v/tau_m)", (1, 1, 0, 2)),
        ("v = v*exp(-dt/tau_m)", (0, 1, 0, 2)),
        ("v = v*exp(-t/tau_m)", (0, 3, 0, 2)),  # time goes on
        ("step = 2*dt\nv += step*trace", (1, 1, 0, 3)),
        ("v = v*rand()", (0, 2, 0, 2)),
        ("v = (v + a)*(trace - b)/c", (2, 2, 0, 3)),
        ("v = a/v", (0, 1, 0, 2)),
        # and what is multiplied by 0 is left out
        ("v += off*trace\ntrace = trace - off*v", (0, 0, 0, 2)),
        ("v += dt*(off*trace - v)/tau_m", (1, 1, 0, 2)),
        ("dw = off*trace\nw = clip(w + dw, w_min, w_max)", (2, 0, 2, 0)),
        ("v += off**2*trace + sqrt(off)*trace + int(off > 0)*trace", (0, 0, 0, 0)),
        ("x = 0\nx += a*v\ntrace = x*w", (1, 2, 1, 2)),  # x is no longer 0
        ("v = off_post*v", (0, 1, 0, 2)),  # another name
        ("v = v/off", (0, 1, 0, 2)),
    ],
)
def test_operations_of_a_text_are_those_counted_by_hand(text, expected):
    assert operations(text, {"v", "trace"}, zeros={"off"}) == Operations(*expected)


def test_a_rule_that_leaves_weights_alone_at_one_side_is_not_counted_there():
    both, one = pair_stdp, pair_stdp(A_minus=0)
    pre, post = ([learning(rule, side, population(3, 5), 5) for rule in (both, one)] for side in ("pre", "post"))
    assert [end.updates for end in pre] == [5, 0] and [end.updates for end in post] == [5, 5]
    assert pre[1].trace_spike == pre[0].trace_spike and post[0].trace_spike == Operations(1, 0, 0, 2)
    assert post[1].trace_step == post[1].trace_spike == Operations()  # a trace that nothing reads
    minimal = triplet_stdp("visual_cortex_all_to_all_minimal")  # A2+ = A3- = 0
    ends = [learning(minimal, side, population(3, 5), 5) for side in ("pre", "post")]
    # -A2_minus*o1 and A3_plus*r1*o2, and the bounds; r2, which A3- multiplies, is not kept
    assert [end.update for end in ends] == [Operations(3, 1, 2, 1), Operations(3, 2, 2, 2)]
    assert [end.trace_spike.additions for end in ends] == [1, 2]


# The spiking side: a toy of which every spike is known

TOY = Competition(streams=1, features=1, neurons=2, encoder=latency, trial=20 * ms, block=6)
# The input's rate is above the encoder's highest: one spike at once. It makes one of the relay neuron, whose weight is its
# threshold, and that one of neuron 0, whose weight times the drive is 1.5 thresholds. That of neuron 1 is 100 thresholds away.


@functools.cache
def toy(trials: int) -> dict[str, np.ndarray]:
    numbers = {
        "rates": np.full((trials, 1), 300.0), "teacher": np.full(trials, -1.0), "learn": np.ones(trials),
        "w": np.array([0.5, 0.5]), "theta": np.array([0.0, 99.0]), "label": np.zeros(2), "drive": 3.0, "relay_weight": 1.0,
        "inhibition": 0.5, "teaching": 1.0, "length": 0.5,
    }  # fmt: skip
    return TOY.program(compiled=False).run(1, numbers, duration=trials * TOY.trial)


def test_a_toy_of_two_neurons_does_what_was_counted_by_hand():
    out = toy(3)
    assert out["streams.spikes"].tolist() == [3] and out["relay.spikes"].tolist() == [3]
    assert out["output.spikes"].tolist() == [3, 0] and len(out["spike_time"]) == 3
    tally = SpikeCounts()
    tally.add(out, trials=3, steps=3 * 20, scalings=3)
    told = TOY.costs().activity(tally, learning=True)
    assert told["spikes"] == {"streams": 1, "relay": 1, "output": 1} and told["steps"] == 20 and told["trials"] == 3
    assert told["fan_out"] == {"streams": 1, "relay": 2, "output": 1}
    assert told["synapses"] == {"streams": 1, "relay": 2, "output": 2}
    assert told["synaptic_operations"] == 1 + 2 + 1
    assert told["weight_updates"] == 2 + 1  # the relay's spike changes two weights, the spike of neuron 0 its one
    assert told["weights_scaled"] == 2
    done = {kind: Operations(**entry) for kind, entry in told["operations"].items()}
    assert done["synapses"] == Operations(4, 0, 2, 0, 4)  # only the two plastic synapses have weights of their own
    # In a step: v += c*v (rest and I are 0), t - lastspike >= t_ref, and v > threshold + theta, but v >= threshold alone in the
    # relay. At a spike: v = v - (threshold + theta), lastspike = t; v -= threshold. 20 steps, a relay and two output neurons.
    relay, output = Operations(1, 0, 0, 1), Operations(1 + 2 + 2, 1, 0, 2 + 1 + 1)
    # a spike each; the input remembers that it fired
    spikes = Operations(2, 0, 0, 3 + 1) + Operations(1, 0, 0, 2) + Operations(0, 0, 0, 1)
    assert done["neurons"] == 20 * (relay + 2 * output) + spikes
    assert done["routing"] == Operations(state_words=3 * 3) and told["neuron_steps"] == 20 * 3
    assert told["stored"] == {
        "weights": 2,
        "states": 2 + (1 + 1) + 2 * (3 + 1),
    }  # rate, fired; v; v, lastspike, theta; a trace each
    # x += c*x; x += 1. And the thresholds of the output, which are read already: theta += c*theta; theta += theta_plus
    traces = 60 * Operations(1, 1, 0, 2) + 2 * Operations(1, 0, 0, 2)
    assert done["traces"] == traces + 40 * Operations(1, 1, 0, 1) + Operations(1, 0, 0, 1)
    change, measure, rescale = Operations(3, 1, 2, 1), Operations(1, 1, 1, 0, 1), Operations(2, 1, 2, 1)
    factor = Operations(0, 2, 0, 2)  # length/sqrt(length_squared), once a neuron
    assert done["plasticity"] == 3 * change + 2 * (measure + rescale) + 2 * factor


def test_twice_the_trials_are_twice_the_spikes_and_the_same_means():
    one, two = SpikeCounts(), SpikeCounts()
    for tally, trials in ((one, 3), (two, 6)):
        tally.add(toy(trials), trials, 20 * trials, trials)
    assert {name: 2 * count for name, count in one.spikes.items()} == two.spikes and one.spikes["output"] == 3
    first, second = (TOY.costs().activity(tally, learning=True) for tally in (one, two))
    assert {**first, "trials": 6} == second


def test_learning_that_is_off_costs_nothing_and_the_rest_costs_the_same():
    tally = SpikeCounts(2, 40, 2, {"streams": 2, "relay": 2, "output": 2})
    on, off = (TOY.costs().activity(tally, learning=learns) for learns in (True, False))
    assert off["weight_updates"] == off["weights_scaled"] == 0
    assert not any((*off["operations"]["traces"].values(), *off["operations"]["plasticity"].values()))
    assert all(on["operations"][kind] == off["operations"][kind] for kind in ("synapses", "neurons"))


def test_a_rule_that_goes_on_all_the_time_changes_every_weight_in_every_step():
    tally = SpikeCounts(trials=1, steps=20)
    alone, both = (Competition(1, 3, 2, rule=rule).costs() for rule in (pair_stdp, pair_stdp + synaptic_scaling))
    more = [model_of_costs.activity(tally, learning=True)["operations"]["traces"] for model_of_costs in (alone, both)]
    # dw = beta*w*(rho0 - post_scaling/tau_rate), w = clip(w + dw*dt, w_min, w_max); and a trace on each of the two neurons
    expected = 20 * (6 * Operations(1 + 3, 3 + 1, 2, 1) + 2 * Operations(1, 1, 0, 2))
    assert Operations(**more[1]) == Operations(**more[0]) + expected


# Brian2's own monitors, and synapses that count for themselves

SMALL_COMPETITION = Competition(streams=2, features=5, neurons=4, trial=30 * ms, block=4)
SMALL_DIEHL_COOK = DiehlCook(inputs=8, neurons=3, images=2, presentations=4, shown=40 * ms, rest=20 * ms)


def _groups(model: Model) -> dict[str, Any]:
    return {item.name: item for item in model.network.objects}


def watched(spec: Any) -> Model:
    """The network with Brian2's spike monitors, and for each synapse another one that counts the spikes that arrive there."""
    model = build(spec)
    groups, outputs = _groups(model), dict(model.outputs)
    for name in spec.costs().populations:
        monitor = SpikeMonitor(groups[name], name=f"{name}_watched")
        model.network.add(monitor)
        outputs[f"{name}.train"] = monitor.i
    for name, synapses in groups.items():
        if isinstance(synapses, Synapses) and name not in ("tell", "race"):  # which lead to bookkeeping
            i, j = np.array(synapses.i[:]), np.array(synapses.j[:])
            real = i != j if name == "inhibit" else np.full(len(i), True)  # a neuron does not inhibit itself: weight 0
            shadow = Synapses(synapses.source, synapses.target, "n : integer", on_pre="n += 1", name=f"{name}_shadow")
            shadow.connect(i=i[real], j=j[real])
            model.network.add(shadow)
            outputs[f"{name}.arrived"] = shadow.n
    return Model(model.network, model.duration, model.inputs, outputs)


def uncounted(spec: Any) -> Model:
    """The network without what was added to count spikes."""
    model = build(spec)
    for name, item in _groups(model).items():
        if name.endswith("_counter"):
            model.network.remove(item)
    return Model(model.network, model.duration, model.inputs, {k: v for k, v in model.outputs.items() if ".spikes" not in k})


def _numbers(spec: Any) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(3)
    if isinstance(spec, Competition):
        numbers = {
            "rates": rng.uniform(50, 250, (4, 10)), "teacher": np.array([0.0, 1.0, 0.0, 1.0]), "learn": np.ones(4),
            "w": rng.uniform(0.2, 0.8, 20), "theta": 0.0, "label": np.array([0, 0, 1, 1]), "drive": 0.5, "relay_weight": 1.0,
            "inhibition": 0.5, "teaching": 20.0, "length": 1.0,
        }  # fmt: skip
        return numbers, 4 * spec.trial
    numbers = {
        "images": rng.uniform(100, 300, (2, 8)), "last": 2, "learn": 1.0, "plastic": 1.0, "first": 2.0, "enough": 3, "total": 6.0,
        "w_ei": 10.4, "w_ie": 17.0, "plastic.w": rng.random(24), "control.image": -1, "control.count": 99,
        "control.intensity": 0.0,
    }  # fmt: skip
    return numbers, 4 * spec.presentation


def _run(builder: Any, spec: Any) -> dict[str, np.ndarray]:
    numbers, duration = _numbers(spec)
    return Program(builder, spec.structure(), None, {}).run(7, {**spec.values(), **numbers}, duration=duration)


@pytest.fixture(scope="module", params=[SMALL_COMPETITION, SMALL_DIEHL_COOK], ids=["competition", "diehl_cook"])
def twice(request) -> tuple[Any, dict[str, np.ndarray], dict[str, np.ndarray]]:
    return request.param, _run(build, request.param), _run(watched, request.param)


def test_counted_spikes_are_those_of_brian2s_monitors(twice):
    spec, out, seen = twice
    for name, group in spec.costs().populations.items():
        assert np.array_equal(out[f"{name}.spikes"], np.bincount(seen[f"{name}.train"], minlength=group.neurons))
        assert out[f"{name}.spikes"].sum() > 3, name


def test_synaptic_operations_are_the_spikes_that_arrive_and_each_is_counted_once(twice):
    """Spikes x fan-out is the whole number: another factor of a rate or a probability would count a spike by its square."""
    spec, out, seen = twice
    arrived = sum(int(counts.sum()) for name, counts in seen.items() if name.endswith(".arrived"))
    tally = SpikeCounts()
    tally.add(out, trials=1, steps=0, scalings=0)
    model_of_costs = spec.costs()
    assert model_of_costs.activity(tally, learning=False)["synaptic_operations"] == arrived > 100
    doubled = SpikeCounts(trials=1, spikes={name: 2 * count for name, count in tally.spikes.items()})
    assert model_of_costs.activity(doubled, learning=False)["synaptic_operations"] == 2 * arrived


def test_counting_changes_no_weight_and_no_spike(twice):
    spec, out, _ = twice
    without = _run(uncounted, spec)
    assert not any(".spikes" in name for name in without)
    for name, value in without.items():
        assert np.array_equal(value, out[name]), name


# The spiking side: the learners


@pytest.fixture(scope="module")
def draw():
    return CuedDigits(train=400, validation=60, test=300).draw(np.random.default_rng(5))


@pytest.fixture(scope="module")
def spiking(draw) -> SpikingClassifier:
    made = SpikingClassifier(neurons_per_class=6, block=400)  # compiled for other tests as well
    made.fit(draw.train.X, draw.train.y, probe=(draw.validation.X, draw.validation.y))
    return made


@pytest.mark.skipif(not compiler(), reason="hundreds of trials: needs a C++ compiler")
def test_a_learner_tells_what_its_trials_did(draw, spiking):
    told = spiking.activity_["training"]
    assert told["trials"] == 400 and told["steps"] == 100 and told["weights_scaled"] == 64 * 60
    assert told["neurons"] == {"streams": 128, "relay": 64, "output": 60}
    expected = spiking._rates(draw.train.X, np.random.default_rng(0))[0].sum() * 0.098 / 400  # hertz x 0.1 s less 2 ms
    # a binomial count in each step has a smaller variance than a Poisson number, whose mean is its variance; 5 standard errors
    assert abs(told["spikes"]["streams"] - expected) < 5 * np.sqrt(expected / 400)
    updates = told["spikes"]["relay"] * 60 + told["spikes"]["output"] * 64
    assert told["weight_updates"] == pytest.approx(updates, rel=1e-12)  # the same sum
    unmeasured = clone(spiking).fit(draw.train.X, draw.train.y)
    assert unmeasured.activity_ == {"training": told}  # the learning curve is not counted, and nothing was asked yet


@pytest.mark.skipif(not compiler(), reason="hundreds of trials: needs a C++ compiler")
def test_a_decision_is_counted_by_the_spikes_that_it_rests_on(draw, spiking):
    answered = spiking.decision_function(draw.test.X).sum()
    told = spiking.activity_["decision"]
    assert told["trials"] == 300 and told["spikes"]["output"] == pytest.approx(answered / 300, rel=1e-12)
    assert told["weight_updates"] == 0 and json.loads(json.dumps(spiking.activity_)) == spiking.activity_


class _Stop(Exception):
    pass


@pytest.mark.skipif(not compiler(), reason="hundreds of images: needs a C++ compiler")
def test_images_count_with_all_presentations_and_a_training_that_was_cut_counts_as_a_whole(tmp_path):
    scans = digits()
    X, y = (scans.pixels[:230] / np.float32(16)).astype(np.float32), scans.labels[:230]
    made = DiehlCookClassifier(neurons=30, block=50, passes=2, label_images=200, enough=1)  # compiled for other tests as well
    made.fit(X, y)
    training, naming = made.activity_["training"], made.activity_["naming"]
    assert training["trials"] == 460 and naming["trials"] == 200
    presentations = naming["steps"] * 200 / 1000  # of 500 ms in steps of 0.5 ms
    assert presentations == round(presentations) == 200  # each image drew its spike at once
    assert naming["spikes"]["excitatory"] * 200 == pytest.approx(made.label_spikes_.sum(), rel=1e-12)
    assert training["weights_scaled"] == training["steps"] / 1000 * 64 * 30

    def stop(fraction: float, note: str = "") -> None:
        if fraction > 0.5 and "right" in note:
            raise _Stop

    cut = clone(made).set_params(checkpoint=str(tmp_path))
    with pytest.raises(_Stop):
        cut.fit(X, y, progress=stop)
    assert cut.fit(X, y).activity_["training"] == training
    assert "decision" not in made.activity_
    with pytest.raises(WrongUse, match="call predict"):
        made.costs()
    made.predict(X[:20])
    found = made.costs()
    assert found is not None and spent(found, "once") == pytest.approx(
        200
        * sum(
            TABLE.arithmetic(done) + TABLE.traffic(done, naming["stored"])
            for done in (Operations(**told) for kind, told in naming["operations"].items() if kind not in AT_SPIKES)
        )
    )


# The torch side

FEATURES, HIDDEN, CLASSES, BATCH = 16, 12, 4, 8


def problem(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    cue = np.eye(2)[rng.integers(0, 2, n)]
    return np.hstack([rng.uniform(size=(n, 2 * FEATURES)), cue]), np.arange(n) % CLASSES


def fitted(name: str, **more: Any) -> TorchClassifier:
    X, y = problem()
    settings = {"hidden": HIDDEN, "epochs": 1, "batch": BATCH, "device": "cpu", "dropout": 0.3, **more}
    return TorchClassifier(name, **settings).fit(X, y, probe=(X, y))


def test_a_linear_layer_multiplies_as_often_as_its_matrix_has_entries_and_twice_that_backwards():
    layer, x = nn.Linear(7, 5), torch.zeros(3, 7)
    with counting(layer) as forward:
        out = layer(x)
    assert forward.done == Operations(3 * 35 + 3 * 5, 3 * 35, 35 + 5, 3 * 7 + 3 * 5, 3 * 35)  # a bias each; weights are read once
    total = out.sum()
    with counting(layer) as backward:
        total.backward()
    assert backward.done.multiplications == 3 * 35  # the gradient of the weights; nobody asks for that of the input
    x = torch.zeros(3, 7, requires_grad=True)
    total = layer(x).sum()
    with counting(layer) as backward:
        total.backward()
    assert backward.done.multiplications == 2 * 3 * 35


def test_a_trial_of_the_mlp_is_counted_as_by_hand():
    made = fitted("mlp")
    kinds, uncounted, stored = trained(made)
    inputs, first = 2 * FEATURES, (2 * FEATURES + 2) * HIDDEN
    macs, biases = first + HIDDEN**2 + HIDDEN * CLASSES, 2 * HIDDEN + CLASSES
    found = made.costs()
    assert found is not None and not uncounted and found.uncounted == ()
    decision = found.decision["forward"]
    assert decision.multiplications == macs + inputs  # standardised: a difference and a quotient for each pixel
    assert decision.additions == macs + inputs + biases + 2 * HIDDEN  # two layers of ReLU
    assert decision.weight_words == macs + biases == made.parameters_  # every weight is read once
    # Training: dropout scales and silences two layers; log softmax (4 additions, 1 multiplication a class), the loss
    assert kinds["forward"].multiplications == macs + inputs + 2 * 2 * HIDDEN + CLASSES
    assert kinds["forward"].additions == decision.additions + 4 * CLASSES + CLASSES
    assert kinds["forward"].weight_words == made.parameters_ / BATCH
    # Two products but for the images' gradient; loss and log softmax; dropout once more; biases sum, ReLU compares
    assert kinds["backward"].multiplications == 2 * macs - first + CLASSES + 2 * CLASSES + 2 * HIDDEN
    assert kinds["backward"].additions == 2 * macs - first + 2 * CLASSES + biases + 2 * HIDDEN
    # AdamW after clipping, by hand: g**2, g*scale, w*decay, (g - m)*c, v*c, g*g*c, eta*m, sqrt, *c, / ; w, g, m, v both ways
    assert kinds["update"] == (made.parameters_ / BATCH) * Operations(1 + 2 + 1 + 2, 1 + 1 + 1 + 1 + 3 + 4, 8, 0)
    assert stored["weights"] == 4 * made.parameters_ and found.stored["decision"]["weights"] == made.parameters_


def test_three_times_the_forward_pass_is_too_much_by_the_gradient_of_the_images():
    """The rule of thumb: a training step is three forward passes. The first layer needs no gradient of its input."""
    for name, share in (("mlp", (2 * 64 + 2) * 192), ("softmax_attention", 2 * 2 * 64 * 192)):
        model = MODELS[name](2, 64, 10)
        stimulus, cue = torch.zeros(4, 2, 64), torch.zeros(4, dtype=torch.int64)
        with FlopCounterMode(display=False) as forward:
            loss = model(stimulus, cue).sum()
        with FlopCounterMode(display=False) as backward:
            loss.backward()
        there, back = forward.get_total_flops() / 8, backward.get_total_flops() / 8
        assert there + back == 3 * there - share, name
        assert 2.4 < (there + back) / there < 2.7  # 2.61 and 2.44: the first layer is a large part of small networks


def test_what_softmax_attention_computes_by_element_is_counted_and_a_small_share():
    """Its scores are (query*keys).sum(), which PyTorch's counter of matrix products does not see."""
    made = fitted("softmax_attention", hidden=192)
    found = made.costs()
    assert found is not None
    products = 2 * 2 * FEATURES * 192 + 192**2 + 192 * CLASSES
    model = made.model_
    with FlopCounterMode(display=False) as seen:
        model(torch.zeros(1, 2, FEATURES), torch.zeros(1, dtype=torch.int64))
    assert seen.get_total_flops() / 2 == products
    # standardised pixels; scores and weighted values; 1/sqrt(d); exp and quotient of the softmax
    unseen = 2 * FEATURES + 2 * 2 * 192 + 2 + 2 * 2
    assert found.decision["forward"].multiplications == products + unseen
    assert unseen / products < 0.02  # 902 of 88,838 at 64 pixels: 1 %


def test_attention_is_counted_in_training_and_missed_in_inference_mode():
    layer, x = nn.MultiheadAttention(16, 4, batch_first=True).eval(), torch.zeros(2, 9, 16)
    by_hand = 2 * (9 * 16 * 16 * 4 + 2 * 9 * 9 * 16)  # query, key, value and output; scores and weighted values
    with FlopCounterMode(display=False) as missed, torch.inference_mode():
        layer(x, x, x)
    assert missed.get_total_flops() == 0  # a fused kernel
    with counting(layer), FlopCounterMode(display=False) as seen:
        layer(x, x, x)
    assert seen.get_total_flops() / 2 == by_hand


def test_the_kernel_of_attention_on_the_cpu_is_counted():
    """PyTorch's counter knows that of GPUs alone (its issue 195460)."""
    q, layer = torch.zeros(2, 4, 9, 8, requires_grad=True), nn.Identity()
    products = 2 * 4 * 2 * 9 * 9 * 8
    with counting(layer), FlopCounterMode(display=False) as forward:
        total = nn.functional.scaled_dot_product_attention(q, q, q).sum()
    with counting(layer), FlopCounterMode(display=False) as backward:
        total.backward()
    assert forward.get_total_flops() / 2 == products and backward.get_total_flops() / 2 == 2 * products


@pytest.mark.parametrize("name", MODELS)
def test_no_operation_of_a_model_is_unknown(name):
    """A new one is named in `bridges.counting`, where it is counted by hand or said to move numbers only."""
    found = fitted(name).costs()
    assert found is not None and found.uncounted == ()
    assert found.decision["forward"].weight_words > 0 and spent(found, "training") > 0


def test_the_update_depends_on_the_optimiser_and_is_shared_by_the_trials_of_a_batch():
    def update(**more: Any) -> tuple[float, Operations]:
        made = fitted("mlp", **more)
        return made.parameters_, trained(made)[0]["update"]

    parameters, sgd = update(optimiser="sgd", batch=1)
    assert sgd == parameters * Operations(1 + 1 + 1 + 2, 1 + 1 + 1 + 1 + 2, 6, 0)  # w, g and b, both ways
    _, plain = update(optimiser="sgd", momentum=0, batch=1)
    assert plain == parameters * Operations(1 + 1 + 1, 1 + 1 + 2, 4, 0)
    _, alone = update(batch=1)
    _, all_at_once = update(batch=1000)  # 40 trials are all there are
    assert alone.multiplications == pytest.approx(40 * all_at_once.multiplications)


def test_counting_leaves_the_estimator_and_torch_as_they_were():
    made = fitted("softmax_attention")
    before = {name: tensor.clone() for name, tensor in made.model_.state_dict().items()}
    state, threads, training = torch.get_rng_state(), torch.get_num_threads(), made.model_.training
    fused = torch.backends.mkldnn.enabled
    made.costs()
    assert all(torch.equal(before[name], tensor) for name, tensor in made.model_.state_dict().items())
    assert torch.equal(state, torch.get_rng_state()) and threads == torch.get_num_threads()
    assert training == made.model_.training and all(p.grad is None for p in made.model_.parameters())
    assert fused == torch.backends.mkldnn.enabled


# Joules


def test_a_multiply_accumulate_costs_as_much_as_horowitz_says():
    assert TABLE.arithmetic(Operations(additions=1)) == pytest.approx(0.9e-12)
    assert TABLE.arithmetic(Operations(additions=1, multiplications=1)) == pytest.approx(4.6e-12)
    assert TABLE.traffic(Operations(weight_words=2, state_words=3)) == pytest.approx(25e-12)
    far = EnergyTable(weights="dram")
    assert far.traffic(Operations(weight_words=2, state_words=3)) == pytest.approx((2 * 640 + 3 * 5) * 1e-12)


@pytest.mark.parametrize(
    "text",
    ["sram_pj=2.5 weights=dram", "sram_pj=2.5,\nweights=dram\n", "energy.sram_pj=2.5; energy.weights=dram",
     '{"sram_pj": 2.5, "weights": "dram"}'],
)  # fmt: skip
def test_a_table_is_read_from_a_text(text):
    assert EnergyTable.parse(text) == EnergyTable(sram_pj=2.5, weights="dram")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sram=2.5", "Did you mean 'sram_pj'"),
        ('{"dram": 1}', "Did you mean 'dram_pj'"),
        ("add_pj=-1", "outside 0"),
        ("add_pj=much", "a number without its unit"),
        ("weights=disk", "unknown value for weights"),
        ("sram_pj", "key=value"),
        ('{"add_pj": "x"}', "a number without its unit"),
        ('{"add_pj": NaN}', "outside 0"),
        ('{"add_pj": 1', "is no JSON"),
        ("[1]", "JSON list"),
    ],
)
def test_a_table_that_cannot_be_is_refused(text, told):
    with pytest.raises(WrongUse, match=told):
        EnergyTable.parse(text)


SPIKES = Costs(
    "spiking",
    {"synapses": Operations(1000, 0, 1000, 2000), "neurons": Operations(500, 500, 0, 300), "traces": Operations(5, 5, 0, 5),
     "plasticity": Operations(400, 200, 800, 100)},
    {"synapses": Operations(800, 0, 800, 1600), "neurons": Operations(500, 500, 0, 300), "traces": Operations(),
     "plasticity": Operations()},
    {"synapses": Operations(100, 0, 100, 200)},
    spikes=40.0,
)  # fmt: skip
PRODUCTS = Costs(
    "torch",
    {"forward": Operations(9e3, 9e3, 9e3, 100), "update": Operations(10, 20, 30, 0)},
    {"forward": Operations(9e3, 9e3, 9e3)},
)


@pytest.mark.parametrize("event_driven", [False, True])
def test_a_breakdown_sums_to_the_joules_and_a_table_scales_them(event_driven):
    for phase in ("training", "decision", "once"):
        parts = breakdown(SPIKES, phase, event_driven=event_driven)
        assert sum(parts.values()) == pytest.approx(spent(SPIKES, phase, event_driven=event_driven), rel=1e-12)
        twice = EnergyTable(*(2 * value for value in (0.9, 3.7, 5.0, 640.0)))
        assert spent(SPIKES, phase, twice, event_driven) == pytest.approx(2 * spent(SPIKES, phase, TABLE, event_driven))
        assert not (event_driven and set(CLOCKED) & set(parts))
    assert breakdown(SPIKES, "decision")["synapses"] == pytest.approx(800 * 0.9e-12)
    with pytest.raises(WrongUse, match="training, decision, once"):
        spent(SPIKES, "sleeping")


def test_a_word_costs_what_one_costs_in_a_memory_of_its_size():
    words = [kilobytes * 1024 / 4 for kilobytes, _ in SIZES]
    assert [TABLE.word_pj(many) for many in words] == pytest.approx([5, 10, 50])  # half of an access of 64 bits
    assert TABLE.word_pj(0) == TABLE.word_pj(10) == 5 and 10 < TABLE.word_pj(63 * 1024) < 50 < TABLE.word_pj(1e6) < 640
    assert TABLE.word_pj(4096) == pytest.approx(np.sqrt(5 * 10))  # halfway in logarithms: 16 KB
    assert TABLE.word_pj(1e15) == 640 and EnergyTable(memory="banks").word_pj(1e9) == 5
    small = EnergyTable(bits="8")  # a fourth of the bits, so of the price, in a memory of a fourth of the size
    assert small.word_pj(4 * words[1]) == pytest.approx(TABLE.word_pj(words[1]) / 4)
    done = Operations(weight_words=2, state_words=3)
    assert TABLE.traffic(done, {"weights": words[2], "states": words[1]}) == pytest.approx((2 * 50 + 3 * 10) * 1e-12)


def test_eight_bits_cost_what_horowitz_says_with_sums_of_32():
    table = EnergyTable(bits="8")
    assert table.arithmetic(Operations(additions=1, multiplications=1)) == pytest.approx(0.23e-12)
    assert table.arithmetic(Operations(additions=3, multiplications=1, sums=2)) == pytest.approx((0.03 + 2 * 0.1 + 0.2) * 1e-12)
    assert table.arithmetic(Operations(draws=2)) == TABLE.arithmetic(Operations(draws=2)) == pytest.approx(1.2e-12)
    assert "8 bits: 0.03 pJ an addition, 0.2 pJ" in prices(table)[0]


def test_an_input_is_drawn_in_each_step_or_from_spike_to_spike():
    drawn, even, waiting = inputs(3, 5, poisson), inputs(3, 5, regular), inputs(3, 5, None)
    assert drawn.encoding == Operations(additions=1, state_words=1, draws=1)  # rand() < p, and p is read
    assert drawn.event == waiting.event == waiting.spike == Operations(1, 2, draws=1)
    assert even.encoding == Operations(2, 0, 0, 3) and even.event.draws == 0  # phase += c, phase >= 1; phase both ways, the rate
    assert inputs(3, CORE + 1, poisson).delivery == Operations(state_words=6) and inputs(3, 0, poisson).delivery == Operations()
    parts = {"inputs": 100 * drawn.encoding, "input_events": 7 * drawn.event}
    costs = Costs("spiking", {}, parts)
    assert set(breakdown(costs)) == {"inputs", "memory"} and set(breakdown(costs, event_driven=True)) == {
        "input_events",
        "memory",
    }
    assert spent(costs) == pytest.approx(100 * (0.9 + 0.6 + 5) * 1e-12)
    assert spent(costs, event_driven=True) == pytest.approx(7 * (0.9 + 2 * 3.7 + 0.6) * 1e-12)


def test_a_batch_of_one_reads_the_weights_for_each_trial():
    made = fitted("mlp")
    found = made.costs()
    assert found is not None
    alone, together = found.decision["forward"], found.decision_together["forward"]
    assert alone.weight_words == pytest.approx(64 * together.weight_words) and alone.multiplications == together.multiplications
    single, shared = (found.training_alone["update"], found.training["update"])
    assert single.weight_words == pytest.approx(BATCH * shared.weight_words)
    assert spent(found, "training_alone") > spent(found, "training") and spent(found) > spent(found, "decision_together")
    assert spent(SPIKES, "training_alone") == spent(SPIKES, "training")  # spikes read weights one by one
    assert np.isnan(spent(PRODUCTS, "training_alone"))  # of a record that does not tell


def test_a_model_that_refuses_a_batch_of_one_has_no_price_for_it():
    made = TorchClassifier(
        nn.Sequential(nn.Linear(2 * FEATURES + 2, 4), nn.BatchNorm1d(4), nn.Linear(4, CLASSES)), epochs=1, batch=8, streams=1
    ).fit(*problem())
    found = made.costs()
    assert np.isnan(spent(found, "training_alone")) and spent(found, "training") > 0 and spent(found, "decision") > 0


def test_a_published_chip_prices_the_spikes_that_were_counted():
    counted = {"spikes": 40.0, "synaptic_operations": 800.0, "weight_updates": 0.0, "neuron_steps": 100.0}
    costs = Costs(
        "spiking", SPIKES.training, SPIKES.decision, counted={"decision": counted, "training": {**counted, "weight_updates": 9}}
    )
    loihi, north = (EnergyTable(chip=name) for name in ("loihi", "truenorth"))
    assert spent(costs, table=loihi) == pytest.approx((800 * 23.6 + 40 * 1.7 + 100 * 81) * 1e-12)
    assert spent(costs, table=loihi, event_driven=True) == pytest.approx((800 * 23.6 + 40 * 1.7) * 1e-12)
    assert spent(costs, "training", loihi) == pytest.approx(spent(costs, table=loihi) + 9 * 120e-12)
    assert spent(costs, table=north) == pytest.approx(800 * 26e-12) and np.isnan(spent(costs, "training", north))
    assert np.isnan(spent(SPIKES, table=loihi))  # of a record without such counts
    assert spent(PRODUCTS, table=loihi) == spent(PRODUCTS)
    for name, chip in CHIPS.items():
        assert chip.source in prices(EnergyTable(chip=name))[1] and "doi:" in chip.source


def test_costs_are_the_same_from_a_record():
    for made in (SPIKES, PRODUCTS):
        assert Costs.read(json.loads(json.dumps(made.plain()))) == made


@pytest.mark.parametrize(
    "odd",
    [
        {"decision": {"neurons": {"sums": "x"}}},
        {"training": {"neurons": {"other": 1.0}}},
        {"side": ...},
        {"counted": {"decision": {"spikes": None}}},
        {"uncounted": [1]},
        {"stored": [1]},
    ],
)
def test_costs_of_a_record_that_are_no_numbers_are_refused(odd):
    told = {key: value for key, value in {**SPIKES.plain(), **odd}.items() if value is not ...}
    with pytest.raises(PlasticityError, match="costs in a record are no numbers"):
        Costs.read(told)


def test_who_counts_nothing_costs_none_and_who_is_not_fitted_is_told():
    X, y = problem()
    assert Guessing().fit(X, y).costs() is None and not hasattr(DecisionTreeClassifier, "costs")
    for made in (TorchClassifier(), SpikingClassifier(), DiehlCookClassifier()):
        with pytest.raises(NotFittedError):
            made.costs()


def test_the_assumptions_are_sentences():
    assert len(ASSUMPTIONS) > 8 and all(text[0].isupper() and text.endswith(".") for text in ASSUMPTIONS)


def test_an_interval_without_width_is_not_told_where_rounding_alone_shows_one():
    below = 14.95e-9 * (1 - 1e-14)  # rounds down, the mean above it up
    assert joules(14.95e-9 * (1 + 1e-14), below, below) == "15 nJ"
    assert joules(8.44e-6, 8.42e-6, 8.46e-6) == "8.44 [8.42, 8.46] µJ"
