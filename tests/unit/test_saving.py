"""A trained learner is saved and loaded without pickle, and answers the same to the bit."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from brian2 import Hz, ms

import plasticity as pl
from bridges import TorchClassifier
from bridges.models import MODELS
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import read_sealed, write_sealed
from plasticity.learners import DiehlCookClassifier, Guessing, RateMemory, SpikingClassifier, SpikingMemory
from plasticity.saving import _made, _told
from plasticity.tasks import AssociativeRecall, CuedDigits, Digits


def trials(task):
    return task.draw(np.random.default_rng(0))


CUED = CuedDigits(train=30, validation=10, test=20)
ONE = Digits(train=30, validation=10, test=20)
PAIRS = AssociativeRecall(pairs=3, train=10, validation=10, test=20)


def small(**changes):
    given = dict(neurons_per_class=2, trial_ms=20.0, block=40)
    return SpikingClassifier(**(given | changes))


def same(first, second, X):
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    for method in ("predict_proba", "decision_function", "represent"):
        if hasattr(first, method):
            np.testing.assert_array_equal(getattr(first, method)(X), getattr(second, method)(X))


def there_and_back(learner, path):
    learner.save(path)
    found = pl.load(path)
    assert type(found) is type(learner) and repr(found) == repr(learner)
    assert sorted(file.name for file in path.parent.iterdir()) == [f"{path.name}.json", f"{path.name}.npz"]
    return found


@pytest.mark.full
@pytest.mark.parametrize("labels", [np.arange(10), np.array([f"class {k}" for k in range(10)])], ids=["numbers", "texts"])
def test_a_spiking_classifier_answers_the_same_after_loading(tmp_path, labels):
    draw = trials(CUED)
    rule = pl.rules.pair_stdp(A_plus=0.02, A_minus=0.0002, tau_plus=15 * ms)
    learner = small(rule=rule, gate=pl.gates.InputGain(attended=1.7, ignored=0.3), random_state=4)
    learner.fit(draw.train.X, labels[draw.train.y], probe=(draw.validation.X, labels[draw.validation.y]))
    found = there_and_back(learner, tmp_path / "mine")
    same(learner, found, draw.test.X)
    assert found.get_params()["rule"] == rule and found.classes_.dtype == labels.dtype
    assert found.costs().plain() == learner.costs().plain()
    np.testing.assert_array_equal(found.history_["accuracy"], learner.history_["accuracy"])


@pytest.mark.full
def test_diehl_and_cooks_network_answers_the_same_after_loading(tmp_path):
    draw = trials(ONE)
    learner = DiehlCookClassifier(neurons=8, block=40).fit(draw.train.X, draw.train.y)
    same(learner, there_and_back(learner, tmp_path / "mine.net"), draw.test.X)


def test_memories_and_guessing_answer_the_same_after_loading(tmp_path):
    draw = trials(PAIRS)
    for number, learner in enumerate((RateMemory("delta"), Guessing(random_state=3), Guessing("stratified", random_state=2))):
        learner.set_params(**{k: getattr(PAIRS, k) for k in ("streams", "dimension") if k in learner.get_params()})
        learner.fit(draw.train.X, draw.train.y)
        (tmp_path / str(number)).mkdir()
        same(learner, there_and_back(learner, tmp_path / str(number) / "mine"), draw.test.X)


@pytest.mark.full
def test_a_spiking_memory_answers_the_same_after_loading(tmp_path):
    draw = trials(PAIRS)
    learner = SpikingMemory(streams=PAIRS.streams, dimension=PAIRS.dimension).fit(draw.train.X, draw.train.y)
    same(learner, there_and_back(learner, tmp_path / "mine"), draw.test.X)


@pytest.mark.parametrize("model", [pytest.param(name, marks=[] if name == "mlp" else pytest.mark.full) for name in MODELS])
def test_every_torch_model_answers_the_same_after_loading(tmp_path, model):
    import torch

    draw = trials(CUED)
    learner = TorchClassifier(model=model, hidden=24, epochs=2, device="cpu").fit(draw.train.X, draw.train.y)
    state = torch.random.get_rng_state()
    found = there_and_back(learner, tmp_path / "mine")
    assert torch.equal(torch.random.get_rng_state(), state)
    same(learner, found, draw.test.X)
    assert found.costs().plain() == learner.costs().plain()


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, "text", 0.1, 1e-300, float("inf"), (1, [2.5, "a"]), {"a": {1: 2}}, 20 * ms, 3.3 * Hz, np.float32(0.1),
        np.int64(7), np.arange(6).reshape(2, 3), np.array(["a", "bc"]), np.array(["a", 1], dtype=object), np.zeros((0, 3)),
        pl.rules.triplet_stdp("hippocampus_all_to_all_full"), pl.rules.pair_stdp.with_traces("nearest"),
        pl.rules.pair_stdp(A_plus=0.02) + pl.rules.synaptic_scaling(rho0=5 * Hz), pl.gates.InputGain(attended=3),
        pl.gates.ShuffledGate(), pl.rules.Landing(mu=0.3),
    ],
    ids=repr,
)  # fmt: skip
def test_whatever_a_learner_may_hold_comes_back_as_it_was(value):
    arrays: dict[str, np.ndarray] = {}
    found = _made(json.loads(json.dumps(_told(value, "value", arrays), allow_nan=False)), arrays)
    assert type(found) is type(value)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(value)) if isinstance(value, np.ndarray) else None
    assert isinstance(value, np.ndarray) or found == value


def test_nan_comes_back_as_nan():
    assert np.isnan(_made(_told(float("nan"), "value", {}), {}))


def fitted():
    draw = trials(PAIRS)
    return RateMemory(streams=PAIRS.streams, dimension=PAIRS.dimension).fit(draw.train.X, draw.train.y)


def test_what_cannot_be_saved_is_refused_and_nothing_is_written(tmp_path):
    class Strange:
        pass

    learner = fitted()
    learner.strange_ = Strange()
    with pytest.raises(WrongUse, match="strange_ is Strange, which cannot be saved without pickle"):
        learner.save(tmp_path / "mine")
    with pytest.raises(WrongUse, match="has learnt nothing that could be saved; call fit"):
        RateMemory().save(tmp_path / "mine")
    own = pl.rules.Rule("own", "mine", "control", {"A": 0.1}, {"A": "step"}, on_pre="dw = A")
    learner = fitted()
    learner.rule_ = own
    with pytest.raises(WrongUse, match="own is a rule that is not known by its name"):
        learner.save(tmp_path / "mine")
    assert not list(tmp_path.iterdir())


def test_damaged_and_foreign_files_are_refused_in_one_sentence(tmp_path):
    fitted().save(tmp_path / "mine")
    text, data = tmp_path / "mine.json", tmp_path / "mine.npz"
    whole, arrays = text.read_text(), data.read_bytes()

    def refused(kind, message):
        with pytest.raises(kind, match=message) as found:
            pl.load(tmp_path / "mine")
        assert "\n" not in str(found.value)

    for changed, message in (
        (whole.replace('"hebb"', '"delta"'), "mine.json is damaged .its content"),
        (whole[:-40], "mine.json is damaged"),
        ("[]", "mine.json is damaged .not a record"),
        ("{}", "mine.json is damaged .not a record"),
    ):
        assert changed != whole
        text.write_text(changed)
        refused(PlasticityError, message)
    text.write_text(whole)
    data.write_bytes(arrays[:-20])
    refused(PlasticityError, "mine.npz is damaged")
    data.write_bytes(b"\x80\x04N.")
    refused(PlasticityError, "mine.npz is damaged")
    data.unlink()
    refused(PlasticityError, "mine.npz is not there")
    text.unlink()
    refused(PlasticityError, "there is no saved learner")
    pl.records.Record("attention_gain", {}, 0, {}, {}, 0.0, "numpy", 1).save(tmp_path / "mine")
    refused(WrongUse, "is the record of 'attention_gain', no saved learner")


def signed(path, **changes):
    """The saved learner with another content, and a checksum that fits."""
    told = read_sealed(path)
    told["configuration"].update(changes)
    write_sealed(path, told)


def test_a_file_names_no_code_to_be_run(tmp_path, monkeypatch):
    for name in (
        "os:system",
        "builtins:eval",
        "bridges.training:train",
        "simulations.peers.bindsnet_model:Network",
        "antigravity:x",
    ):
        fitted().save(tmp_path / "mine", force=True)
        signed(tmp_path / "mine.json", learner=name)
        with pytest.raises(WrongUse, match="which is not known here; import that module first"):
            pl.load(tmp_path / "mine")
    import sys

    assert "antigravity" not in sys.modules
    fitted().save(tmp_path / "mine", force=True)
    signed(tmp_path / "mine.json", state={"classes_": {"#": "module", "name": "os"}})
    with pytest.raises(WrongUse, match="of the kind 'module', which this version does not know"):
        pl.load(tmp_path / "mine")
    signed(tmp_path / "mine.json", format=2)
    with pytest.raises(WrongUse, match="is of the format 2, this version reads 1"):
        pl.load(tmp_path / "mine")


def test_no_array_of_objects_is_read(tmp_path):
    fitted().save(tmp_path / "mine")
    import hashlib
    import io

    held = io.BytesIO()
    np.savez(held, array_0=np.array([{"a": 1}], dtype=object))
    (tmp_path / "mine.npz").write_bytes(held.getvalue())
    told = read_sealed(tmp_path / "mine.json")
    told["arrays_sha256"] = hashlib.sha256(held.getvalue()).hexdigest()
    write_sealed(tmp_path / "mine.json", told)
    assert zipfile.is_zipfile(tmp_path / "mine.npz")
    with pytest.raises(PlasticityError, match="mine.npz is damaged"):
        pl.load(tmp_path / "mine")


@pytest.mark.parametrize("end", ["json", "npz"])
def test_what_is_there_is_replaced_only_when_asked_to(tmp_path, end):
    fitted().save(tmp_path / "mine")
    before = (tmp_path / f"mine.{end}").read_bytes()
    (tmp_path / f"mine.{'npz' if end == 'json' else 'json'}").unlink()
    with pytest.raises(WrongUse, match=f"mine.{end} is there already; give another path"):
        fitted().save(tmp_path / "mine.json")
    assert (tmp_path / f"mine.{end}").read_bytes() == before
    fitted().save(tmp_path / "mine", force=True)
    assert pl.load(tmp_path / "mine").classes_ is not None
