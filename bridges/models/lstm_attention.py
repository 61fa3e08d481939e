"""A bidirectional LSTM reads the streams in order; attention pools its states."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bridges.models.backbone import Model, masked_softmax


class LSTMAttention(Model):
    """Bidirectional LSTM with attention pooling: the question weighs the states that the LSTM went through.

    `h_i = [forward LSTM after x_1 ... x_i; backward LSTM after x_streams ... x_i]`,
    `context = W_c sum_i softmax_i(v tanh(q + W_k h_i + b_k)) h_i + b_c`; q the question, each direction half of `hidden`.

    The streams have no position besides their order: where another stream is first, the states are others. Streams that may not
    be attended are not read either.

    Sources
    -------
    Hochreiter & Schmidhuber 1997, Long short-term memory, doi:10.1162/neco.1997.9.8.1735.
    Schuster & Paliwal 1997, Bidirectional recurrent neural networks, doi:10.1109/78.650093.
    Bahdanau, Cho & Bengio 2015, arXiv:1409.0473 (section 3: the weights of the states).
    """

    name = "lstm_attention"
    summary = "a bidirectional LSTM reads the streams in order, the question weighs its states"
    source = (
        "Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Schuster & Paliwal 1997, doi:10.1109/78.650093; "
        "Bahdanau, Cho & Bengio 2015, arXiv:1409.0473"
    )
    cost = 7.0
    sums_to_one = True

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        features, hidden = int(features), int(hidden)  # PyTorch takes no whole numbers of NumPy here
        self.ask(hidden)
        half = max(1, hidden // 2)
        self.lstm = nn.LSTM(features, half, batch_first=True, bidirectional=True)
        self.key = nn.Linear(2 * half, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.gather = nn.Linear(2 * half, hidden)

    def states(self, tokens: Tensor, there: Tensor | None) -> Tensor:
        """The states of both directions after each stream, (n, streams, hidden), 0 where none is there."""
        if there is None:
            return self.lstm(tokens)[0]
        order = torch.argsort((~there).to(torch.int8), dim=1, stable=True)  # those that are there first, in their order
        moved = tokens.gather(1, order[:, :, None].expand_as(tokens))
        packed = pack_padded_sequence(moved, there.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return states.gather(1, order.argsort(dim=1)[:, :, None].expand_as(states))

    def pool(self, states: Tensor, tokens: Tensor, cue: Tensor, there: Tensor | None) -> Tensor:
        """Weights of the states, (n, streams)."""
        score = self.score(torch.tanh(self.question(tokens, cue)[:, None] + self.key(states)))  # (n, streams, 1)
        return masked_softmax(score.squeeze(2), there)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        there = self.attended(cue, mask)
        return self.pool(self.states(tokens, there), tokens, cue, there)  # (n, streams)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        there = self.attended(cue, mask)
        states = self.states(tokens, there)  # (n, streams, hidden)
        weights = self.pool(states, tokens, cue, there)  # (n, streams)
        return self.gather((weights.unsqueeze(2) * states).sum(dim=1))  # (n, hidden)
