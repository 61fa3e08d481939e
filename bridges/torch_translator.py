"""An encoder-decoder as a scikit-learn estimator: sequences of symbols to sequences of symbols, trained by gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn import functional

from bridges.sequence_model import ATTENTION, SequenceModel
from bridges.torch_learner import HELD_OUT, WEIGHTS, ByGradient, device_of
from bridges.training import Log, Row, by_epochs, make_optimiser, make_schedule, one_thread, seeded
from plasticity.checked import checked
from plasticity.checkpoints import Checkpoints
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners import Variant, inputs
from plasticity.settings import estimator, setting
from plasticity.tasks.sequences import UNKNOWN, exact, sequences_given

AT_ONCE = 256  # sequences that are evaluated or answered together
WARM_UP = 0.05  # share of the steps in which the learning rate rises to its first value
NOTHING_AFTER = -1  # what stands behind the end


@estimator
class TorchTranslator(ByGradient):
    """An encoder-decoder Transformer, or the same with fast weights in place of its softmax attention.

    `X` (trials, length) and `y` (trials, length') are numbers of symbols, -1 behind the end of each, as `Sequences.X` and `.y`
    are; `predict` gives answers (trials, longest answer) of the same kind. Symbols that no training trial shows are read as the
    unknown one, 0, which is never answered.

    Trained with the right symbols before each one (teacher forcing) by cross-entropy, with `smoothing` of it (Szegedy et al.
    2016, arXiv:1512.00567), in batches of sequences of like length; the learning rate rises over the first 5 % of the steps. The
    weights with the lowest validation loss are kept. A whole sequence is right by greedy search exactly if each of its symbols is
    the most probable one after the right ones, so that the learning curve needs no search.

    Attributes
    ----------
    history_ : dict
        `trials`, and on the probe then `accuracy` (share of sequences that are wholly right), `loss` (nats a symbol) and
        `training_loss` (with smoothing and dropout, mean since the point before; NaN at first).
    arrays_ : dict
        `history_loss`, `history_training_loss`: the same, for figures.
    lengths_ : list of int
        How long the sources and the answers of training are, in the mean.
    best_trials_, gradient_steps_, parameters_, model_, device_
        As in `TorchClassifier`.

    Raises
    ------
    WrongUse
        Sequences that are none, a setting out of range, fewer than two trials; checkpoints of another training.
    PlasticityError
        Training diverged; a checkpoint or the log cannot be written.

    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"sequences"})
    from_task: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = "Vaswani et al. 2017, arXiv:1706.03762"
    cost: ClassVar[float] = 100.0
    of_answers: ClassVar[tuple[str, ...]] = ("beam",)
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant(
            "transformer_translator", "a Transformer with encoder and decoder, softmax attention",
            {"attention": "softmax"}, frozenset({"sequences"}),
        ),
        Variant(
            "fast_weight_translator", "transformer_translator by summed outer products (fast Hebbian weights)",
            {"attention": "hebb"}, frozenset(),
            "Katharopoulos et al. 2020, arXiv:2006.16236; Ba et al. 2016, arXiv:1610.06258",
        ),
        Variant(
            "delta_translator", "transformer_translator by fast weights of the delta rule",
            {"attention": "delta"}, frozenset({"sequences"}), "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174",
        ),
    )  # fmt: skip

    attention: str = setting("softmax", "how tokens attend: see `bridges.sequence_model.Attention`", choices=ATTENTION)
    width: int = setting(64, "numbers of a token; 4 heads share them", low=2, high=10_000)
    layers: int = setting(2, "of the encoder, and of the decoder", low=1, high=100)
    epochs: int = setting(
        20, "at most this often is every training trial shown; `schedule` runs over so many", low=1, high=100_000
    )
    learning_rate: float = setting(2e-3, "the highest; afterwards by `schedule`", above=0, high=1e30)
    weight_decay: float = setting(
        0.01, "on the matrices of linear layers: see `bridges.training.make_optimiser`", low=0, high=1000
    )
    dropout: float = setting(0.0, "probability that a unit is silenced in a training step", low=0, below=1)
    smoothing: float = setting(0.0, "share of the target that is spread over all symbols", low=0, below=1)
    batch: int = setting(32, "trials per gradient step", low=1, high=10_000_000)
    patience: int = setting(10, "training stops after so many epochs without a lower validation loss", low=1, high=1_000_000)
    beam: int = setting(1, "answers that are followed side by side in the search; 1 is greedy search", low=1, high=1000)
    penalty: float = setting(
        0.6,
        "a beam is judged by its log probability over its length to this power (Wu et al. 2016, arXiv:1609.08144)",
        low=0,
        high=10,
    )
    longest: int = setting(60, "symbols of an answer at most", low=1, high=100_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("sequences",)

    @one_thread()
    def fit(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] | None = None
    ) -> TorchTranslator:
        """Train on (X, y); `probe` = (X, y) of validation trials for the learning curve and for stopping.

        Without a probe 15 % of the training trials are held out for it. `progress` is called with the share done, up to 1.
        """
        self.check()
        device = device_of(self.device)
        source, target = sequences_given("X", X), sequences_given("y", y)
        if len(source) != len(target):
            raise WrongUse(f"X has {len(source)} sequences and y {len(target)}; give one answer for each.")
        if probe is None:
            if len(source) < 2:
                raise WrongUse("1 training trial is too few to hold one out for stopping; give at least 2, or give probe=(X, y).")
            order = np.random.default_rng([self.random_state, 3]).permutation(len(source))
            held, kept = np.split(order, [max(1, round(HELD_OUT * len(order)))])
            parts = [(source[kept], target[kept]), (source[held], target[held])]
        else:
            inputs.pair(probe)
            parts = [
                (source, target),
                (sequences_given("the probe's X", probe[0]), sequences_given("the probe's y", probe[1])),
            ]
        self.vocabulary_, self.symbols_ = int(parts[0][0].max()) + 1, int(parts[0][1].max()) + 1
        training, validation = (
            (self._known(shown, self.vocabulary_).to(device), torch.from_numpy(told).to(device)) for shown, told in parts
        )
        self.lengths_ = [max(1, round(float((ids >= 0).sum(dim=1).double().mean()))) for ids in training]
        tensors = (*training, *validation)
        with self._kept(tensors) as (checkpoints, log), seeded(int(self.random_state), device):
            self.device_, self.model_ = device, self._make().to(device)
            curve, self.best_trials_ = self._train(training, validation, checkpoints, log, progress)
        self.gradient_steps_ = (len(curve) - 1) * math.ceil(len(training[0]) / int(self.batch))
        self.parameters_ = sum(p.numel() for p in self.model_.parameters())
        columns = np.array(curve, dtype=float).T
        self.history_ = dict(zip(("trials", "accuracy", "loss", "training_loss"), columns, strict=True))
        self.arrays_ = {"history_loss": self.history_["loss"], "history_training_loss": self.history_["training_loss"]}
        return self

    def _make(self) -> SequenceModel:
        return SequenceModel(
            self.vocabulary_, self.symbols_, int(self.width), int(self.layers), float(self.dropout), self.attention
        )

    def _known(self, source: np.ndarray, vocabulary: int) -> Tensor:
        return torch.from_numpy(np.where(source < vocabulary, source, UNKNOWN))

    def _train(
        self, training: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], checkpoints: Checkpoints | None,
        log: Log | None, progress: Callable[[float], None] | None,
    ) -> tuple[list[Any], int]:  # fmt: skip
        """The learning curve, and the point of it whose weights the model has."""
        model, source, target = self.model_, *training
        moving = make_optimiser(model, self.optimiser, float(self.learning_rate), float(self.weight_decay), float(self.momentum))
        steps = int(self.epochs) * math.ceil(len(source) / int(self.batch))
        rate = make_schedule(moving, self.schedule, steps, rising=math.ceil(WARM_UP * steps))

        def one(epoch: int, curve: list[Any]) -> Row:
            model.train()
            total = 0.0
            for part in batches(source, target, int(self.batch)):
                shown, told = cut(source[part]), cut(target[part])
                loss = self._loss(model, shown, told)
                moving.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), float(self.clip))
                moving.step()
                rate.step()
                total += loss.item() * len(part)
            return (*measured(model, *validation), total / len(source))

        return by_epochs(
            model, moving, rate, lambda: (*measured(model, *validation), math.nan), one, epochs=int(self.epochs),
            trials=len(source), patience=int(self.patience), checkpoints=checkpoints, log=log, progress=progress,
            diverged=f"training {self._name} diverged in epoch {{}}: the validation loss is {{}}; give a smaller learning_rate"
            f" than {self.learning_rate}.",
        )  # fmt: skip

    def _loss(self, model: SequenceModel, shown: Tensor, told: Tensor) -> Tensor:
        """Nats a symbol, with smoothing."""
        return functional.cross_entropy(
            model(shown, told).flatten(0, 1), goals(told, model.symbols).flatten(), ignore_index=NOTHING_AFTER,
            label_smoothing=float(self.smoothing),
        )  # fmt: skip

    def _blank(self, model: Any, trials: int) -> tuple[Callable[[], Tensor], Callable[[], Any]]:
        """Of the mean lengths in training; answers are followed as `search` does, each symbol from the first one on."""
        shown, told = (torch.zeros((trials, length), dtype=torch.int64) for length in self.lengths_)
        beams = torch.arange(trials).repeat_interleave(int(self.beam))

        def answer() -> None:
            memory, there = (part[beams] for part in model.encode(shown))
            for step in range(told.shape[1] + 1):
                model.decode(memory, there, told[beams, :step])[:, -1].log_softmax(dim=1).argmax(dim=1)

        return lambda: self._loss(model, shown, told), answer

    @one_thread()
    def predict(self, X: Any) -> np.ndarray:
        """The answers, (trials, longest answer) int64, -1 behind the end of each."""
        check_is_fitted(self, "model_")
        source = self._known(sequences_given("X", X), self.vocabulary_).to(self.device_)
        order = torch.argsort((source >= 0).sum(dim=1), stable=True)
        found: list[Tensor] = []
        for part in order.split(max(1, AT_ONCE // int(self.beam))):
            found += search(self.model_, cut(source[part]), int(self.beam), int(self.longest), float(self.penalty))
        answers = torch.nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=NOTHING_AFTER)
        back = torch.empty_like(answers)
        back[order] = answers
        return back.cpu().numpy()

    def score(self, X: Any, y: Any) -> float:
        """Share of the trials whose answer is wholly y."""
        return float(exact(self.predict(X), sequences_given("y", y)[:, None]).mean())

    def state(self) -> dict[str, Any]:
        """What `fit` made, the numbers of the model as arrays."""
        check_is_fitted(self, "model_")
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in self.model_.state_dict().items()}
        return super().state() | {WEIGHTS: {"arrays": arrays}}

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and make the model of these numbers on the device of the settings."""
        kept = dict(state)
        self._held(kept, WEIGHTS, "vocabulary_", "symbols_")
        arrays = kept.pop(WEIGHTS)["arrays"]
        super().restore(kept)
        self.device_ = device_of(self.device)
        with seeded(0, self.device_):  # torch's generator stays as it is
            self.model_ = self._make()
        try:
            self.model_.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        except RuntimeError as problem:
            first = " ".join(str(problem).split())
            raise PlasticityError(f"the saved numbers are not those of this model ({first}); train and save it anew.") from None
        self.model_.to(self.device_).eval()


def cut(ids: Tensor) -> Tensor:
    """Without the columns in which no sequence is any more."""
    return ids[:, : int((ids >= 0).sum(dim=1).max())]


def goals(target: Tensor, end: int) -> Tensor:
    """Each symbol of the target and then its end, (n, length + 1); -1 behind it."""
    wanted = functional.pad(target, (0, 1), value=NOTHING_AFTER)
    return wanted.scatter(1, (target >= 0).sum(dim=1, keepdim=True), end)


def batches(source: Tensor, target: Tensor, size: int) -> Iterator[Tensor]:
    """Numbers of trials in random order, those of like length in one batch; from torch's generator of the device."""
    length = (target >= 0).sum(dim=1) * (source.shape[1] + 1) + (source >= 0).sum(dim=1)
    order = torch.randperm(len(source), device=source.device)
    parts = order[torch.argsort(length[order], stable=True)].split(size)
    for place in torch.randperm(len(parts)).tolist():
        yield parts[place]


def measured(model: SequenceModel, source: Tensor, target: Tensor) -> tuple[float, float]:
    """Share of sequences each symbol of which is the most probable one after the right ones, and mean nats a symbol."""
    model.eval()
    right, nats, symbols = 0, 0.0, 0
    with torch.inference_mode():
        for part in torch.argsort((target >= 0).sum(dim=1), stable=True).split(AT_ONCE):
            told = cut(target[part])
            logits, wanted = model(cut(source[part]), told), goals(told, model.symbols)
            asked = wanted >= 0
            nats += float(functional.cross_entropy(logits[asked], wanted[asked], reduction="sum"))
            symbols += int(asked.sum())
            right += int(((logits.argmax(dim=2) == wanted) | ~asked).all(dim=1).sum())
    return right / len(source), nats / symbols


@torch.inference_mode()
def search(model: SequenceModel, source: Tensor, beam: int, longest: int, penalty: float) -> list[Tensor]:
    """The best answer to each source that beam search finds, without its end; the unknown symbol is in none.

    `beam` answers are followed side by side, each step the most probable ones of all their continuations; one that has come to
    its end stays as it is. At last the highest log probability / length^penalty wins. A beam of 1 is greedy search.
    """
    end = model.symbols
    memory, there = model.encode(source)
    trials, open_ = len(source), torch.arange(len(source), device=source.device)  # trials that are not at their end
    answers = source.new_full((trials, beam, longest), NOTHING_AFTER)
    score = memory.new_full((trials, beam), -math.inf)
    score[:, 0] = 0.0  # all begin alike: one of them is enough
    ended = torch.zeros(trials, beam, dtype=torch.bool, device=source.device)
    for step in range(longest + 1):
        before = answers[open_, :, :step].flatten(0, 1)  # (open * beam, step)
        seen = memory[open_].repeat_interleave(beam, dim=0), there[open_].repeat_interleave(beam, dim=0)
        likely = model.decode(*seen, before)[:, -1].log_softmax(dim=1).unflatten(0, (-1, beam))  # (open, beam, symbols + 1)
        likely[:, :, UNKNOWN] = -math.inf
        if step == longest:
            likely[:, :, :end] = -math.inf  # nothing but the end
        over = ended[open_]
        likely = torch.where(over[:, :, None], -math.inf, likely)
        likely[:, :, end] = torch.where(over, 0.0, likely[:, :, end])
        total, place = (score[open_][:, :, None] + likely).flatten(1).topk(beam, dim=1)
        parent, symbol = place // (end + 1), place % (end + 1)
        rows = open_[:, None]
        answers[open_] = answers[rows, parent]
        score[open_], ended[open_] = total, ended[rows, parent] | (symbol == end)
        if step < longest:
            answers[open_, :, step] = torch.where(symbol == end, NOTHING_AFTER, symbol)
        open_ = open_[~ended[open_].all(dim=1)]
        if not len(open_):
            break
    length = (answers >= 0).sum(dim=2) + 1  # with its end
    best = (score / length**penalty).argmax(dim=1)
    return [answer[answer >= 0] for answer in answers[torch.arange(trials), best]]
