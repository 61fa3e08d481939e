"""A bidirectional LSTM reads each image column by column, as a sound over time; attention pools its states."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bridges.models.backbone import Model, masked_softmax


class ColumnLSTM(Model):
    """Bidirectional LSTM over the columns of every stream, then attention over all columns of all streams.

    Column t of stream s is x_st: of a map of a sound, what all bands are at one time. `h_st = [forward LSTM after x_s1 ... x_st;
    backward LSTM after x_sT ... x_st]`, the same network for every stream;
    `context = W_c sum_st softmax_st(v tanh(q + W_k h_st + p_s)) h_st + b_c`, q the question, p_s a learned embedding of the
    stream, each direction half of `hidden`. The weight of a stream is the sum over its columns.

    Features that make no square image are columns of one number.

    Sources: Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Schuster & Paliwal 1997, doi:10.1109/78.650093;
    Bahdanau, Cho & Bengio 2015, arXiv:1409.0473 (section 3: the weights of the states).
    """

    name = "column_lstm"
    summary = "a bidirectional LSTM reads images column by column (sounds over time), the question weighs its states"
    source = (
        "Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Schuster & Paliwal 1997, doi:10.1109/78.650093; "
        "Bahdanau, Cho & Bengio 2015, arXiv:1409.0473"
    )
    settings = {"learning_rate": 3e-3}  # chosen on validation trials of spoken_digits, draw 100
    cost = 20.0
    sums_to_one = True

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        hidden = int(hidden)
        self.ask(hidden)
        side = math.isqrt(int(features))
        self.rows = side if side * side == features else 1
        half = max(1, hidden // 2)
        self.lstm = nn.LSTM(self.rows, half, batch_first=True, bidirectional=True)
        self.key = nn.Linear(2 * half, hidden)
        self.position = nn.Parameter(torch.randn(streams, hidden) / math.sqrt(hidden))
        self.score = nn.Linear(hidden, 1, bias=False)
        self.gather = nn.Linear(2 * half, hidden)

    def states(self, tokens: Tensor) -> Tensor:
        """The states of both directions after each column, (n, streams, columns, hidden)."""
        columns = tokens.unflatten(2, (self.rows, -1)).transpose(2, 3)  # (n, streams, columns, rows)
        return self.lstm(columns.flatten(0, 1))[0].unflatten(0, tokens.shape[:2])

    def pool(self, states: Tensor, tokens: Tensor, cue: Tensor, mask: Tensor | None) -> Tensor:
        """Weights of the states, (n, streams, columns), summing to one over both."""
        question = self.question(tokens, cue)[:, None, None]
        score = self.score(torch.tanh(question + self.key(states) + self.position[:, None])).squeeze(3)
        there = self.attended(cue, mask)
        where = None if there is None else there.repeat_interleave(score.shape[2], dim=1)
        return masked_softmax(score.flatten(1), where).unflatten(1, score.shape[1:])

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.pool(self.states(tokens), tokens, cue, mask).sum(dim=2)  # (n, streams)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        states = self.states(tokens)  # (n, streams, columns, hidden)
        weights = self.pool(states, tokens, cue, mask)
        return self.gather((weights.unsqueeze(3) * states).sum(dim=(1, 2)))  # (n, hidden)
