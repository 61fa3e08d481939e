"""A torch module of somebody's own where a model's name is taken: what its forward gets, trained, costed, compared."""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import Tensor, nn

from bridges import TorchClassifier, compare
from bridges.models import MLP
from bridges.own_model import plain
from bridges.torch_classifier import streams_of
from plasticity.errors import WrongUse
from plasticity.tasks import CuedDigits, Digits

TASK = CuedDigits(train=80, validation=20, test=30)
DRAW = TASK.draw(np.random.default_rng(0))
X, Y = DRAW.train.X, DRAW.train.y
FAST: dict[str, Any] = {"epochs": 2, "batch": 32, "device": "cpu"}


class Asked(nn.Module):
    """Takes tokens and cue; keeps what it got last."""

    def __init__(self, features: int, classes: int, width: int = 8) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(features, width), nn.Linear(width, classes)
        self.got: tuple[Tensor, Tensor] | None = None

    def forward(self, tokens: Tensor, cue: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            self.got = tokens, cue
        chosen = tokens[torch.arange(len(cue)), cue]  # (n, features)
        return self.last(torch.relu(self.first(chosen)))


def joined(columns: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Linear(columns, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, classes))


def test_a_class_is_told_the_shape_and_its_forward_gets_tokens_and_cue_as_they_are():
    learner = TorchClassifier(Asked, **FAST).fit(X, Y)
    learner.predict(DRAW.test.X)
    tokens, cue = learner.model_.module.got
    np.testing.assert_array_equal(tokens.numpy(), DRAW.test.stimulus.astype(np.float32))
    np.testing.assert_array_equal(cue.numpy(), DRAW.test.cue)
    assert learner.model_.module.first.out_features == 8  # its own default
    assert learner.parameters_ == 64 * 8 + 8 + 8 * 10 + 10
    assert learner.predict_proba(DRAW.test.X).shape == (30, 10)


@pytest.mark.parametrize("task", [TASK, Digits(train=80)], ids=["two streams", "one stream"])
def test_the_forward_of_a_plain_module_gets_x(task):
    seen: list[Tensor] = []

    class Keeps(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.detach().clone())
            return super().forward(x)

    draw = task.draw(np.random.default_rng(0))
    learner = TorchClassifier(lambda columns, classes: Keeps(columns, classes), **FAST).fit(draw.train.X, draw.train.y)
    learner.predict(draw.test.X)
    np.testing.assert_array_equal(seen[-1].numpy(), draw.test.X.astype(np.float32))


def test_a_module_is_trained_as_a_copy_from_the_weights_that_it_has():
    mine = joined(130, 10)
    before = copy.deepcopy(mine.state_dict())
    settings = {**FAST, "epochs": 20}
    learner = TorchClassifier(mine, **settings).fit(X, Y)
    assert all(torch.equal(mine.state_dict()[name], value) for name, value in before.items()) and mine.training
    trained = learner.model_.module.state_dict()
    assert not any(torch.equal(trained[name], value) for name, value in before.items())
    assert clone(learner).model is not mine
    again = TorchClassifier(copy.deepcopy(mine), **settings).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), learner.predict_proba(X))


def test_new_weights_of_a_class_follow_from_the_random_state():
    first, again, other = (TorchClassifier(Asked, random_state=seed, **FAST).fit(X, Y).predict_proba(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_a_model_of_ours_given_as_a_class_is_the_one_of_that_name():
    named, given = (TorchClassifier(model, hidden=8, **FAST).fit(X, Y) for model in ("mlp", MLP))
    np.testing.assert_array_equal(named.predict_proba(X), given.predict_proba(X))
    made = TorchClassifier(MLP(2, 64, 10, hidden=8), **FAST).fit(X, Y)
    assert made.model_.module.mean.abs().sum() > 0  # it standardises what it gets


def test_what_it_represents_and_attends_is_asked_of_its_methods_where_it_has_them():
    class Attends(Asked):
        def represent(self, tokens: Tensor, cue: Tensor) -> Tensor:
            return tokens.mean(dim=1)

        def attention_weights(self, tokens: Tensor, cue: Tensor) -> Tensor:
            return nn.functional.one_hot(cue, 2).float()

    learner, plainer = (TorchClassifier(kind, **FAST).fit(X, Y) for kind in (Attends, Asked))
    np.testing.assert_allclose(learner.represent(X), DRAW.train.stimulus.mean(axis=1), atol=1e-6)  # float32
    np.testing.assert_array_equal(learner.attention_weights(X).argmax(axis=1), DRAW.train.cue)
    np.testing.assert_array_equal(learner.arrays_["attention"], np.eye(2))
    assert plainer.attention_weights(X) is None and plainer.represent(X).shape == (80, 10)


class Failing(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("no\nforward")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (nn.Linear(130, 7), r"Linear: its forward gave torch.float32 of shape \(2, 7\) .*must give logits .*= \(2, 10\)"),
        (nn.Linear(64, 10), r"Linear: its forward does not take X \(batch, columns\) = \(2, 130\)"),
        (Failing(130, 10), "RuntimeError: no forward"),
        (lambda columns: nn.LSTM(columns, 10), "its forward gave a tuple"),
        (nn.Softmax(dim=1), "gave torch.float32 of shape"),
        (lambda classes: nn.Sequential(nn.AdaptiveAvgPool1d(10)), "no parameters to train"),
        (lambda depth: nn.Linear(130, 10), "needs depth, which a model is not told"),
        (nn.Linear, "needs in_features, out_features"),
        (lambda classes: classes, "made a int; a model is a torch.nn.Module"),
        (nn.Bilinear(64, 64, 10), "its forward does not take tokens"),
        (nn.MultiheadAttention(130, 1), "its forward takes query, key, value; it gets X"),
        (3, "model=3 is not of type"),
        (None, "model=None is not of type"),
        ("mpl", "unknown model 'mpl'. Did you mean 'mlp'"),
    ],
)
def test_a_module_that_cannot_be_is_refused_in_one_sentence(made, told):
    with pytest.raises(WrongUse, match=told) as caught:
        TorchClassifier(made, **FAST).fit(X, Y)
    assert "\n" not in str(caught.value)


def test_it_is_compared_and_costed_like_the_built_in_ones():
    learners = [("mine", Asked), joined, ("partial", functools.partial(joined, classes=10)), ("made", joined(130, 10))]
    found = compare([*learners, "mlp_sigmoid"], TASK, seeds=2, jobs=1, settings={"torch": {"epochs": "2", "device": "cpu"}})
    assert found.seeds == [0, 1] and found.learners == ["mine", "joined", "partial", "made", "mlp_sigmoid"]
    for name in found.learners[:-1]:
        record = found.records[0, name]
        assert found.configuration["sides"][name] == "torch"
        assert record.numbers["costs"]["training"]["forward"]["multiplications"] > 0
        assert record.numbers["parameters"] > 0 and record.arrays["probabilities"].shape == (30, 10)
    assert found.records[0, "joined"].numbers["parameters"] == 130 * 16 + 16 + 16 * 10 + 10


def test_two_that_differ_are_not_taken_for_one_another_and_the_same_is():
    def of_width(width: int) -> Any:
        return lambda columns, classes: nn.Sequential(nn.Linear(columns, width), nn.Linear(width, classes))

    assert plain(of_width(8)) == plain(of_width(8)) != plain(of_width(9))
    module = nn.Linear(3, 2)
    same, other = copy.deepcopy(module), copy.deepcopy(module)
    with torch.no_grad():
        other.weight += 1e-6
    assert plain(module) == plain(same) != plain(other)
    assert plain("mlp") == "mlp" and plain(0.5) == 0.5


# Streams found from X


def cued(streams: int, features: int, trials: int = 12) -> np.ndarray:
    rng = np.random.default_rng(streams)
    return np.hstack([rng.uniform(size=(trials, streams * features)), np.eye(streams)[np.arange(trials) % streams]])


@pytest.mark.parametrize(("streams", "features"), [(2, 1), (2, 64), (3, 5), (4, 3), (9, 2)])
def test_streams_are_found_from_the_cue(streams, features):
    assert streams_of(cued(streams, features)) == streams


def test_without_a_cue_it_is_one_stream_and_a_broken_cue_is_told():
    plain_columns = np.random.default_rng(0).uniform(size=(30, 64))
    assert streams_of(plain_columns) == 1
    labels = (plain_columns[:, 0] > 0.5).astype(int)
    learner = TorchClassifier("mlp", hidden=8, **FAST).fit(plain_columns, labels)
    assert learner.streams_ == 1 and learner.get_params()["streams"] is None
    without = X.copy()
    without[3, -2:] = 0
    for broken, told in ((X[:, :-1], r"must be \(trials, 2\*features \+ 2\)"), (without, "one 1 in each row")):
        with pytest.raises(WrongUse, match=f"{told}.*; if X is one stream without a cue, give streams=1"):
            TorchClassifier("mlp", **FAST).fit(broken, Y)


def test_streams_that_are_given_or_those_of_the_task_are_taken():
    assert TorchClassifier("mlp", streams=2, hidden=8, **FAST).fit(X, Y).streams_ == 2
    found = compare([("mlp", TorchClassifier("mlp", hidden=8, **FAST))], TASK, seeds=1, jobs=1)
    assert found.configuration["parameters"]["mlp"]["streams"] == 2
