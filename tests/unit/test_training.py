"""The training loop: its steps are those of the papers, and a training that was stopped ends as if it had not been."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bridges import training
from bridges.models import MODELS, Model
from bridges.torch_classifier import TorchClassifier
from bridges.torch_learner import _onto_simplex
from bridges.training import Batch, evaluate, make_optimiser, make_schedule, seeded, squared_error, train
from plasticity.checkpoints import Checkpoints
from plasticity.errors import PlasticityError, WrongUse

N, FEATURES, CLASSES = 6, 4, 3
CPU = torch.device("cpu")


class Linear(Model):
    """One linear layer on the cued stream, trained by squared error: every step of it can be written down."""

    name, loss = "linear", "squared_error"

    def __init__(self) -> None:
        super().__init__(1, FEATURES, CLASSES, FEATURES, 0.0)
        self.head = nn.Linear(FEATURES, CLASSES)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return tokens[torch.arange(len(cue)), cue]


def linear() -> Linear:
    with seeded(3, CPU):
        return Linear().double()


def trials(seed: int = 0, n: int = N) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    stimulus = torch.rand(n, 1, FEATURES, generator=generator, dtype=torch.float64)
    return Batch(stimulus, torch.zeros(n, dtype=torch.int64), torch.randint(CLASSES, (n,), generator=generator))


def by_hand(model: Linear, batch: Batch) -> tuple[np.ndarray, np.ndarray, Callable[..., tuple[float, np.ndarray, np.ndarray]]]:
    """First weights and bias, and what gives loss and gradients of the mean squared error, without torch."""
    x = batch.stimulus[:, 0].numpy()
    x = x - x.mean(axis=0)
    x = x / np.sqrt(np.mean(x**2))
    target = np.eye(CLASSES)[batch.label.numpy()]

    def gradient(w: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        error = x @ w.T + b - target
        return float(np.mean(error**2)), 2 * error.T @ x / error.size, 2 * error.sum(axis=0) / error.size

    return model.head.weight.detach().numpy().copy(), model.head.bias.detach().numpy().copy(), gradient


def cosine(t: int, steps: int) -> float:
    return 0.5 * (1 + np.cos(np.pi * t / steps))


STEPS = 5
ONE_BATCH: dict[str, Any] = {"epochs": STEPS, "batch": N, "patience": STEPS}  # a step is an epoch


def lowered(model: Linear, batch: Batch, **settings: Any) -> np.ndarray:
    """Train on all trials at once, checked on them as well; the loss must fall, or the last weights would not be the best."""
    with seeded(0, CPU):
        history = train(model, batch, batch, **{**ONE_BATCH, **settings})
    assert (np.diff(history.loss) < 0).all()
    return history.loss


def test_sgd_steps_by_nesterov_momentum_along_a_cosine_with_an_l2_penalty_on_the_matrix_alone() -> None:
    model, batch = linear(), trials()
    w, b, gradient = by_hand(model, batch)
    losses, moment_w, moment_b = [gradient(w, b)[0]], np.zeros_like(w), np.zeros_like(b)
    for t in range(STEPS):
        eta = 0.2 * cosine(t, STEPS)
        _, g_w, g_b = gradient(w, b)
        g_w = g_w + 0.1 * w  # the gradient of 0.1/2 |w|^2
        moment_w, moment_b = 0.8 * moment_w + g_w, 0.8 * moment_b + g_b
        w, b = w - eta * (g_w + 0.8 * moment_w), b - eta * (g_b + 0.8 * moment_b)
        losses.append(gradient(w, b)[0])
    told = lowered(model, batch, optimiser="sgd", learning_rate=0.2, weight_decay=0.1, momentum=0.8, clip=np.inf)
    # float64, sums of six terms in another order
    np.testing.assert_allclose(model.head.weight.detach(), w, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(model.head.bias.detach(), b, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(told, losses, rtol=1e-12)


def test_adamw_steps_by_its_moments_along_a_cosine_clipped_at_one_with_decoupled_decay_of_the_matrix_alone() -> None:
    model, batch = linear(), trials()
    w, b, gradient = by_hand(model, batch)
    moments = {name: np.zeros_like(p) for name, p in (("mw", w), ("vw", w), ("mb", b), ("vb", b))}
    clipped: list[bool] = []
    for t in range(STEPS):
        eta = 0.02 * cosine(t, STEPS)
        _, g_w, g_b = gradient(w, b)
        norm = np.sqrt((g_w**2).sum() + (g_b**2).sum())
        clipped.append(norm > 1)
        g_w, g_b = (g * min(1.0, 1 / (norm + 1e-6)) for g in (g_w, g_b))
        w = w - eta * 0.3 * w
        for name, g in (("w", g_w), ("b", g_b)):
            m = moments[f"m{name}"] = 0.9 * moments[f"m{name}"] + 0.1 * g
            v = moments[f"v{name}"] = 0.999 * moments[f"v{name}"] + 0.001 * g**2
            step = eta * m / (1 - 0.9 ** (t + 1)) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8)
            w, b = (w - step, b) if name == "w" else (w, b - step)
    assert any(clipped) and not all(clipped)
    lowered(model, batch, learning_rate=0.02, weight_decay=0.3)
    # float64 in another order; m / sqrt(v) of small gradients loses a few digits
    np.testing.assert_allclose(model.head.weight.detach(), w, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.head.bias.detach(), b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("adamw", (1 - 0.1 * 0.5) ** 2),  # decoupled: a share eta lambda a step, with any momentum
        ("sgd", 1 - (0.1 * 0.5 * 1.8) - 0.1 * 0.5 * ((1 - 0.1 * 0.5 * 1.8) * 1.8 + 0.8**2)),  # L2: it enters the momentum 0.8
    ],
)
def test_without_a_gradient_the_matrix_alone_decays_decoupled_in_adamw_and_through_the_momentum_in_sgd(
    name: str, kept: float
) -> None:
    model = linear()
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    optimiser = make_optimiser(model, name, learning_rate=0.1, weight_decay=0.5, momentum=0.8)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimiser.step()
    optimiser.step()
    torch.testing.assert_close(model.head.weight.detach(), kept * before["head.weight"], rtol=1e-14, atol=0)  # float64 rounding
    assert torch.equal(model.head.bias.detach(), before["head.bias"])


@pytest.mark.parametrize("clip", [0.01, 0.3, np.inf])
def test_clipping_shortens_the_gradient_to_the_norm_and_keeps_its_direction(clip: float) -> None:
    model, batch = linear(), trials()
    w, b, gradient = by_hand(model, batch)
    _, g_w, g_b = gradient(w, b)
    norm = float(np.sqrt((g_w**2).sum() + (g_b**2).sum()))
    assert norm > 0.3
    settings = {"optimiser": "sgd", "momentum": 0.0, "learning_rate": 0.1, "weight_decay": 0.0, "schedule": "constant"}
    lowered(model, batch, epochs=1, clip=clip, **settings)
    share = min(1.0, clip / norm)
    # torch divides by the norm + 1e-6
    np.testing.assert_allclose(w - model.head.weight.detach().numpy(), 0.1 * share * g_w, rtol=5e-6)
    np.testing.assert_allclose(b - model.head.bias.detach().numpy(), 0.1 * share * g_b, rtol=5e-6)


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("cosine", lambda t: cosine(t, 40)),
        ("step", lambda t: 1.0 if t < 20 else 0.1 if t < 30 else 0.01),
        ("constant", lambda t: 1.0),
    ],
)
def test_the_learning_rate_of_each_step_is_that_of_the_formula(name: str, closed: Callable[[int], float]) -> None:
    optimiser = make_optimiser(linear(), "sgd", 0.5, 0.0)
    schedule = make_schedule(optimiser, name, 40)
    rates = []
    for _ in range(41):
        rates.append([group["lr"] for group in optimiser.param_groups])
        optimiser.step()
        schedule.step()
    wanted = [0.5 * closed(t) for t in range(41)]
    np.testing.assert_allclose(rates, np.transpose([wanted, wanted]), rtol=1e-12, atol=1e-15)  # torch's cosine is a recursion


def test_squared_error_is_the_mean_over_trials_and_classes_of_the_squared_distance_to_the_one_hot_label() -> None:
    output, label = torch.tensor([[0.5, 0.0, 1.0], [2.0, 1.0, -1.0]]), torch.tensor([2, 0])
    assert squared_error(output, label).item() == pytest.approx((0.25 + 0 + 0 + 1 + 1 + 1) / 6, rel=1e-7)  # float32


def test_curve_and_early_stopping_go_by_the_loss_of_the_model() -> None:
    model, told, checked = linear(), trials(0, 8), trials(1, 8)  # random labels: the validation loss rises soon
    with seeded(0, CPU):
        history = train(model, told, checked, epochs=60, learning_rate=0.05, weight_decay=0.0, batch=4, patience=4)
    assert history.trials[-1] == history.best_trials + 4 * 8 < 60 * 8
    ends = history.trials % 8 == 0
    found = squared_error(model(checked.stimulus, checked.cue), checked.label).item()
    assert found == evaluate(model, checked)[1] == history.loss[ends].min()


@pytest.mark.parametrize("settings", [{"optimiser": "adam"}, {"schedule": "cosin"}])
def test_an_unknown_optimiser_or_schedule_is_refused_with_the_known_ones(settings: dict[str, str]) -> None:
    ((kind, name),) = settings.items()
    with pytest.raises(WrongUse, match=f"unknown {kind} '{name}'. Did you mean"):
        train(linear(), trials(), trials(), **{**ONE_BATCH, "learning_rate": 0.1, "weight_decay": 0.0, **settings})


# An estimator with all of it


def cued(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """X and y: two streams of 5 features, a cue, and labels that have little to do with them (the loss soon rises)."""
    rng = np.random.default_rng(seed)
    stimulus = rng.uniform(size=(n, 2, 5))
    cue = rng.integers(0, 2, n)
    answer = (stimulus[np.arange(n), cue, 0] * CLASSES + rng.normal(0, 0.5, n)).astype(int).clip(0, CLASSES - 1)
    return np.hstack([stimulus.reshape(n, -1), np.eye(2)[cue]]), answer


X, Y = cued(60, 0)
PROBE = cued(40, 1)
SMALL: dict[str, Any] = {"hidden": 16, "epochs": 9, "batch": 16, "patience": 4, "device": "cpu"}


def fit(
    folder: Path | None = None, progress: Callable[[float], None] | None = None, log: Path | None = None, **settings: Any
) -> TorchClassifier:
    learner = TorchClassifier(
        **{**SMALL, **settings}, checkpoint=None if folder is None else str(folder), log=None if log is None else str(log)
    )
    return learner.fit(X, Y, probe=PROBE, progress=progress)


def same(one: TorchClassifier, other: TorchClassifier) -> None:
    mine, theirs = one.model_.state_dict(), other.model_.state_dict()
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        assert torch.equal(tensor, theirs[name]), name
    for name, line in one.history_.items():
        np.testing.assert_array_equal(line, other.history_[name])
    assert one.best_trials_ == other.best_trials_
    assert one.parameters_ == other.parameters_


class Stop(Exception):
    pass


def until(epochs: int, of: int = SMALL["epochs"]) -> Callable[[float], None]:
    """A progress that stops training after so many epochs: the last checkpoint is of the epoch before."""

    def progress(fraction: float) -> None:
        if round(fraction * of) >= epochs:
            raise Stop

    return progress


def blocks(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("block-")) for path in folder.glob("block-*.json"))


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SHARE", np.inf)


@pytest.mark.full
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimiser": "sgd", "schedule": "step", "learning_rate": 0.1, "weight_decay": 1e-3, "patience": 9},
        {"optimiser": "sgd", "momentum": 0.0, "schedule": "constant", "learning_rate": 0.1, "weight_decay": 0.0, "clip": np.inf},
        {"model": "uniform_attention"},  # some of its parameters never get a gradient
        {"model": "mlp_sigmoid", "learning_rate": 0.05},
        {"query": "content"},
    ],
)
def test_a_training_that_was_stopped_after_any_epoch_goes_on_and_ends_with_the_same_weights_to_the_bit(
    settings: dict[str, Any], tmp_path: Path, every_epoch: None
) -> None:
    whole = fit(**settings)
    epochs = whole.history_["trials"][-1] // len(X)
    assert epochs > 4
    for stopped in (2, epochs // 2 + 1, epochs):
        folder = tmp_path / str(stopped)
        with pytest.raises(Stop):
            fit(folder, until(stopped), **settings)
        assert blocks(folder) == [b for b in (stopped - 2, stopped - 1) if b > 0]
        told: list[float] = []
        same(fit(folder, told.append, **settings), whole)
        assert told[0] == stopped / SMALL["epochs"]  # it did not begin anew
        assert blocks(folder) == [] and list(folder.glob("*.npz")) == []  # it is finished


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_all_that_a_model_is_made_of_is_in_its_checkpoint(name: str, tmp_path: Path, every_epoch: None) -> None:
    with pytest.raises(Stop):
        fit(tmp_path, until(2, 3), model=name, epochs=3)
    same(fit(tmp_path, model=name, epochs=3), fit(model=name, epochs=3))


def test_stopping_again_and_again_changes_nothing(tmp_path: Path, every_epoch: None) -> None:
    for stopped in (3, 4, 6):
        with pytest.raises(Stop):
            fit(tmp_path, until(stopped), patience=9)
    same(fit(tmp_path, patience=9), fit(patience=9))


LONG: dict[str, Any] = {"epochs": 150, "patience": 150}


def train_in(folder: Path) -> None:
    training.SHARE = np.inf
    fit(folder, **LONG)


@pytest.mark.full
def test_a_training_killed_at_any_moment_and_again_ends_with_the_same_weights_to_the_bit(tmp_path: Path) -> None:
    """kill -9 at different moments of an epoch and of the writing of a checkpoint, each time further on."""
    processes = multiprocessing.get_context("forkserver")  # imports torch once for all of them
    processes.set_forkserver_preload(["bridges.learner", "torch._dynamo", "pytest"])
    for number, after in enumerate((1, 15, 40)):
        process = processes.Process(target=train_in, args=(tmp_path,))
        process.start()
        while process.is_alive() and not (blocks(tmp_path) and blocks(tmp_path)[-1] >= after):
            time.sleep(0.001)
        time.sleep(0.004 * number)
        assert process.is_alive(), "it was over before it could be killed"
        process.kill()
        process.join()
        assert process.exitcode == -9
        assert 1 <= len(blocks(tmp_path)) <= 3  # two, and one more where it was killed before the oldest was deleted
    told: list[float] = []
    same(fit(tmp_path, told.append, **LONG), fit(**LONG))
    assert told[0] > 40 / LONG["epochs"]


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    damage: str, tmp_path: Path, every_epoch: None, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Stop):
        fit(tmp_path, until(5), patience=9)
    newest = tmp_path / "block-000004.npz"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    told: list[float] = []
    same(fit(tmp_path, told.append, patience=9), fit(patience=9))
    assert told[0] == 4 / SMALL["epochs"]  # from that of the third epoch
    said = capfd.readouterr().err
    assert str(newest) in said and "damaged" in said and "the checkpoint before it is used" in said


def test_checkpoints_of_another_training_are_refused_and_stay(tmp_path: Path, every_epoch: None) -> None:
    with pytest.raises(Stop):
        fit(tmp_path, until(3), clip=np.inf)
    with pytest.raises(WrongUse, match=r"another training \(clip, optimiser differ\)"):
        fit(tmp_path, optimiser="sgd")
    other = TorchClassifier(**SMALL, clip=np.inf, checkpoint=str(tmp_path))
    with pytest.raises(WrongUse, match=r"another training \(data differ\)"):
        other.fit(X, np.roll(Y, 1), probe=PROBE)
    with pytest.raises(WrongUse, match=r"another training \(data differ\)"):
        other.fit(X, Y, probe=(PROBE[0], np.roll(PROBE[1], 1)))
    same(fit(tmp_path, clip=np.inf), fit(clip=np.inf))


def test_what_diverged_leaves_no_checkpoint_to_diverge_from_again(tmp_path: Path, every_epoch: None) -> None:
    model, batch, seen = linear(), trials(), []

    def spoil(epoch: int, accuracy: float, loss: float, learning_rate: float) -> None:
        seen.append(blocks(tmp_path))
        if epoch == 3:
            model.head.bias.data.fill_(torch.nan)

    settings = {**ONE_BATCH, "learning_rate": 0.01, "weight_decay": 0.0}
    with Checkpoints.open(tmp_path, {}) as checkpoints, seeded(0, CPU), pytest.raises(PlasticityError, match="in epoch 4"):
        train(model, batch, batch, checkpoints=checkpoints, log=spoil, **settings)
    assert seen == [[], [], [1], [1, 2]]
    assert blocks(tmp_path) == []


def test_checkpoints_take_a_twentieth_of_the_time_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that stands still but for epochs, 1 s each, and checkpoints, 3 s each."""
    clock, saved, save = SimpleNamespace(now=0.0), [], Checkpoints.save

    def slow(self: Checkpoints, block: int, *args: Any) -> None:
        clock.now += 3
        saved.append(block)
        save(self, block, *args)

    def epoch(fraction: float) -> None:
        clock.now += 1

    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    monkeypatch.setattr(Checkpoints, "save", slow)
    fit(tmp_path, epoch, epochs=130, patience=130, batch=60, hidden=8)
    assert saved == [1, 61, 121]  # the first at once, then after 3 s / 0.05 = 60 s


# TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no TensorBoard")
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


@pytest.mark.parametrize("stopped", [0, 5])
def test_tensorboard_reads_loss_accuracy_and_learning_rate_of_each_epoch_once_even_of_a_training_that_was_stopped(
    stopped: int, tmp_path: Path, every_epoch: None
) -> None:
    pytest.importorskip("tensorboard", reason="the extra [tensorboard] is not installed")
    if stopped:
        with pytest.raises(Stop):
            fit(tmp_path / "kept", until(stopped), log=tmp_path / "log", patience=9)
        assert [step for step, _ in scalars(tmp_path / "log")["learning_rate"]] == list(range(stopped + 1))
    learner = fit(tmp_path / "kept", log=tmp_path / "log", patience=9)
    found, epochs = scalars(tmp_path / "log"), range(SMALL["epochs"] + 1)
    ends = learner.history_["trials"] % len(X) == 0
    wanted = {
        "validation/loss": learner.history_["loss"][ends],
        "validation/accuracy": learner.history_["accuracy"][ends],
        "learning_rate": [6e-3 * cosine(epoch, SMALL["epochs"]) for epoch in epochs],
    }
    assert found.keys() == wanted.keys()
    for tag, values in wanted.items():
        assert [step for step, _ in found[tag]] == list(epochs)
        np.testing.assert_allclose([value for _, value in found[tag]], values, rtol=1e-6, atol=1e-9)  # kept as float32


def test_without_tensorboard_the_log_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(PlasticityError, match=r"^log needs TensorBoard; type: pip install tensorboard$"):
        fit(log=tmp_path / "log")


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra [tensorboard] is not installed")
    (tmp_path / "log").write_text("a file")
    with pytest.raises(PlasticityError, match="cannot write the log in"):
        fit(log=tmp_path / "log")


# What the estimator gives


def test_the_head_reads_what_represent_gives() -> None:
    learner = fit(query="content")
    context = learner.represent(PROBE[0])
    assert context.shape == (40, 16) and context.dtype == np.float64
    assert learner.model_.content
    with torch.inference_mode():
        output = learner.model_.head(torch.from_numpy(context).float())
    assert np.array_equal(torch.softmax(output.double(), dim=1).numpy(), learner.predict_proba(PROBE[0]))


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ([0.2, 0.5, 0.3], [0.2, 0.5, 0.3]),  # a probability is its own
        ([2.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]),
        ([0.9, 0.5, -0.3], [0.7, 0.3, 0.0]),
    ],
)
def test_the_nearest_probability_by_hand(output: list[float], wanted: list[float]) -> None:
    found = _onto_simplex(torch.tensor([output], dtype=torch.float64))
    np.testing.assert_allclose(found[0], wanted, atol=1e-15)  # float64


def test_probabilities_of_a_model_of_squared_error_are_nearest_its_outputs_and_agree_with_its_answers() -> None:
    learner = fit(model="mlp_sigmoid", learning_rate=0.05)
    found, output = learner.predict_proba(PROBE[0]), learner._logits(PROBE[0]).double().numpy()
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)  # float64
    assert np.array_equal(found.argmax(axis=1), learner.predict(PROBE[0]))
    others = np.random.default_rng(0).dirichlet(np.ones(CLASSES), size=500)
    distance = ((output[:, None] - others) ** 2).sum(axis=2)  # (n, 500)
    assert (((output - found) ** 2).sum(axis=1) <= distance.min(axis=1)).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_training_on_cuda_goes_on_from_its_generator(tmp_path: Path, every_epoch: None) -> None:
    settings = {"device": "cuda", "model": "mlp", "patience": 9}
    with pytest.raises(Stop):
        fit(tmp_path, until(5), **settings)
    stopped, whole = fit(tmp_path, **settings), fit(**settings)
    # no layer of this model sums in an order that changes from run to run
    np.testing.assert_allclose(stopped.history_["loss"], whole.history_["loss"], rtol=1e-5)
