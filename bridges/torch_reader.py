"""Attention models that read texts: words as vectors that are learnt, attended by any mechanism of `MODELS`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from bridges.models import MODELS, Model
from bridges.torch_learner import TorchLearner, hold_out
from bridges.training import Batch, one_thread
from plasticity.errors import WrongUse, unknown
from plasticity.learners import inputs
from plasticity.learners.learner import Variant
from plasticity.settings import estimator, setting

READERS = (
    *("lstm_attention", "self_attention", "transformer_encoder", "additive_attention", "softmax_attention"),
    *("cosine_attention", "euclidean_attention", "uniform_attention"),
)
"""The mechanisms of `MODELS` that read, each under the name words_MECHANISM."""
CHOSEN = {
    "softmax_attention": frozenset({"items", "texts"}),
    "uniform_attention": frozenset({"texts"}),
    "self_attention": frozenset({"items"}),  # of texts they take minutes
    "lstm_attention": frozenset({"items"}),
}
"""Kinds of tasks that they are put to where no learners are named."""


RATES = {"additive_attention": 2e-3, "lstm_attention": 5e-3, "self_attention": 5e-3, "transformer_encoder": 5e-3}
"""Learning rates of those that do not begin with that of the others; all were tried on validation texts of news, draw 1000."""
SPREAD = 0.1  # of the words' vectors at the start: those of words that are hardly ever met stay small


class WordReader(Model):
    """A mechanism of `MODELS` over the words of a text: `logits = head(context(E[word_1], ..., E[word_n]))`.

    Each word is a stream that shows its vector, a row of E, which is learnt with the rest. There is no cue: the question is one
    learned vector. While training, words are left out at random, a share `forget` of them (Iyyer et al. 2015,
    doi:10.3115/v1/P15-1162).

    Source: Mikolov et al. 2013, arXiv:1301.3781 (words as vectors); that of the mechanism.
    """

    sizes = ("streams", "features", "classes", "hidden", "vocabulary")
    cued = False
    together = 128

    def __init__(
        self, kind: str, streams: int, features: int, classes: int, hidden: int, vocabulary: int, dropout: float, forget: float
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout)
        mechanism = MODELS[kind]
        self.name, self.loss, self.sums_to_one = kind, mechanism.loss, mechanism.sums_to_one  # type: ignore[misc]
        self.vocabulary, self.forget = vocabulary, forget
        self.embedding = nn.Embedding(vocabulary + 1, features, padding_idx=0)  # row 0 stands behind the end
        with torch.no_grad():
            self.embedding.weight.mul_(SPREAD)
        self.inner = mechanism(streams, features, classes, hidden, dropout)
        if isinstance(getattr(self.inner, "query", None), nn.Embedding):
            self.inner.query = nn.Embedding(1, self.inner.query.embedding_dim)  # one question
        self.head, self.longest = nn.Identity(), streams
        self.drop = nn.Dropout(dropout)

    def standardise_by(self, stimulus: Tensor, mask: Tensor | None = None) -> None:
        """Word vectors are learnt, and not standardised; noted is how long texts are."""
        self.longest = max(1, round(float((stimulus >= 0).sum(dim=1).double().mean())))

    def blank(self, trials: int) -> Tensor:
        """Texts of the mean length of those of training, the same word again and again."""
        shown = torch.full((trials, self.streams), -1)
        shown[:, : self.longest] = 0
        return shown

    def _read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of the words (n, streams, features), and where words are, (n, streams)."""
        there = text >= 0
        if self.training and self.forget:
            kept = there & (torch.rand(text.shape, device=text.device) >= self.forget)
            there = torch.where(kept.any(dim=1, keepdim=True), kept, there)
        vectors = self.drop(self.embedding((text + 1) * there))
        return vectors, there

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.inner.context(tokens, cue, mask)  # (n, hidden)

    def attention_weights(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor | None:
        tokens, there = self._read(stimulus)
        return self.inner.weights(tokens, cue, there)  # (n, streams)

    def represent(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        tokens, there = self._read(stimulus)
        return self.inner.context(tokens, cue, there)  # (n, hidden)

    def forward(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.inner.head(self.represent(stimulus, cue, mask))  # (n, classes)


def _variants() -> tuple[Variant, ...]:
    return tuple(
        Variant(
            f"words_{kind}",
            f"word vectors read by {kind}: {MODELS[kind].summary}",
            {"model": kind, **({"learning_rate": RATES[kind]} if kind in RATES else {})},
            CHOSEN.get(kind, frozenset()),
            MODELS[kind].source,
            4 * MODELS[kind].cost,
        )
        for kind in READERS
    )


@estimator
class TorchReader(TorchLearner):
    """A mechanism of attention over the words of a text, trained by gradient: `WordReader`.

    `X` is what `Tokens.X` gives, (trials, length) whole numbers, -1 behind the end of a text. `attention_weights(X)` has a weight
    for each of them, 0 behind the end.

    Attributes
    ----------
    classes_, history_, gradient_steps_, best_trials_, parameters_, model_, device_
        As those of `TorchClassifier`.

    Raises
    ------
    WrongUse
        What `plasticity.learners.inputs.symbols` refuses; an unknown mechanism; texts longer than `longest`.
    PlasticityError
        Training diverged; a checkpoint or the log cannot be written.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"items", "texts"})
    from_task: ClassVar[tuple[str, ...]] = ("vocabulary", "longest")
    variants: ClassVar[tuple[Variant, ...]] = _variants()

    model: str = setting("softmax_attention", "name in `MODELS` of the mechanism that reads", choices=READERS)
    width: int = setting(64, "length of a word's vector", low=1, high=4096)
    hidden: int = setting(64, "units in each hidden layer, and the dimension of keys, queries and values", low=1, high=20_000)
    epochs: int = setting(
        12,
        "at most this often is every training text shown; `schedule` runs over so many, even where training stops before",
        low=1,
        high=100_000,
    )
    learning_rate: float = setting(0.01, "of the first step; afterwards by `schedule`", above=0, high=1e30)
    weight_decay: float = setting(0.1, "of AdamW or SGD, as that of `TorchClassifier`", low=0, high=1000)
    dropout: float = setting(0.3, "probability that a unit is silenced in a training step", low=0, below=1)
    forget: float = setting(0.4, "share of the words that are left out in a training step, others in each", low=0, below=1)
    patience: int = setting(
        4,
        "training stops after this many epochs in a row without a lower validation loss; the weights of the lowest are kept",
        low=1,
        high=1_000_000,
    )
    vocabulary: int | None = setting(None, "how many symbols there are; None: those in X", low=1, high=10_000_000)
    longest: int | None = setting(None, "the most words of a text; None: those of X", low=1, high=20_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("classes",) if self.model == "uniform_attention" else ("words", "classes")

    def _parts(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None, device: torch.device
    ) -> tuple[Batch, Batch, Callable[[], Model]]:
        given, X = X, inputs.symbols(self, X, fitting=True)
        label = inputs.labels(self, given, y, "X and y")
        if probe is None:
            kept, held = hold_out(label, self.random_state)
            parts = [(X[part], label[part]) for part in (kept, held)]
        else:
            answers = inputs.probed(self, probe, label, "the probe's X and y")
            parts = [(X, label), (inputs.symbols(self, probe[0]), answers)]
        self._enough([part[1] for part in parts], len(parts[0][1]))
        training, validation = (
            Batch(*self._tensors(shown, device), torch.from_numpy(np.searchsorted(self.classes_, answer)).to(device))
            for shown, answer in parts
        )
        sizes = {
            "streams": self.longest_, "features": int(self.width), "classes": len(self.classes_), "hidden": int(self.hidden),
            "vocabulary": self.vocabulary_,
        }  # fmt: skip
        return training, validation, functools.partial(self._remade, sizes)

    def _remade(self, sizes: Mapping[str, int]) -> Model:
        return WordReader(self.model, **sizes, dropout=self.dropout, forget=self.forget)

    def _tensors(self, X: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """The texts (n, longest) and a cue that says nothing."""
        if X.shape[1] > self.longest_:
            if (X[:, self.longest_ :] >= 0).any():
                raise WrongUse(f"X holds texts of more than {self.longest_} words, the most of this model; give longest=.")
            X = X[:, : self.longest_]
        padded = np.pad(X, ((0, 0), (0, self.longest_ - X.shape[1])), constant_values=-1)
        return torch.from_numpy(padded).to(device), torch.zeros(len(X), dtype=torch.int64, device=device)

    @one_thread()
    def _inputs(self, X: Any) -> tuple[Tensor, Tensor]:
        check_is_fitted(self, "model_")
        return self._tensors(inputs.symbols(self, X), self.device_)

    def represent(self, X: Any) -> np.ndarray:
        """What the classifier head reads of each text, (n, hidden)."""
        return np.concatenate([part.numpy() for part in self._each(X, "represent")]).astype(float)

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The weight of each word, (n, length); 0 behind the end of a text."""
        length = inputs.symbols(self, X).shape[1]
        found = np.concatenate([part.numpy() for part in self._each(X, "attention_weights")]).astype(float)
        return np.pad(found, ((0, 0), (0, max(0, length - found.shape[1]))))[:, :length]

    def _each(self, X: Any, method: str) -> list[Tensor]:
        shown, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            pairs = zip(shown.split(self.model_.together), cue.split(self.model_.together), strict=True)
            return [getattr(self.model_, method)(*pair).cpu() for pair in pairs]

    def check(self) -> None:
        """WrongUse for parameters that cannot be, an unknown mechanism, a device that is not there."""
        super().check()
        if self.model not in READERS:
            raise unknown("mechanism", str(self.model), READERS)
