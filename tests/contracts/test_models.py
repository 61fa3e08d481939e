"""What every attention model must do, and what each mechanism promises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import signal, special
from scipy.spatial.distance import cdist
from torch import Tensor, nn
from torch.nn import functional

from bridges.models import MODELS, StreamAttention, conv_attention, hopfield_attention
from bridges.models.blocks import Block, DecoderBlock, rollout
from bridges.models.encoder_decoder import places
from bridges.models.feature_attention import weigh
from bridges.training import LOSSES, Batch, curve_points, evaluate, one_thread, seeded, train
from plasticity.errors import PlasticityError, WrongUse
from plasticity.gates import InputGain
from plasticity.learners import RateMemory
from plasticity.tasks import AssociativeRecall, split_streams

N, STREAMS, FEATURES, CLASSES, HIDDEN = 24, 2, 7, 5, 16
CPU = torch.device("cpu")
PERCEPTRONS = ["mlp", "mlp_sigmoid"]
NO_ATTENTION = PERCEPTRONS
FEATURE = ["feature_softmax", "feature_exponential", "feature_linear"]
ATTENTION = [name for name in MODELS if name not in NO_ATTENTION]
ASKING = [name for name in ATTENTION if name not in FEATURE]  # those that put a question to streams
SUM_OF_VALUES = [name for name in ASKING if issubclass(MODELS[name], StreamAttention)]
SUM_OF_VALUES = [name for name in SUM_OF_VALUES if name not in ("additive_attention", "multi_head_attention")]
COMPETITION_FREE = {"feature_exponential", "feature_linear", "additive_attention", "delta_attention", "fast_weights"}
SIGNED = {"feature_linear", "delta_attention", "fast_weights"}
GATES = ["relu_backprop", "surrogate_twin"]  # gains that the cue sets
IN_ORDER = ["lstm_attention", "delta_attention"]
ORDER_FREE = [name for name in ASKING if name not in IN_ORDER]
OWN_ARITHMETIC = [*FEATURE, "additive_attention", "dot_attention", "cosine_attention", "euclidean_attention"]
OWN_ARITHMETIC += ["bilinear_attention", "linear_attention", "fast_weights", "delta_attention", "hopfield_attention"]


def build(name: str, seed: int = 0, streams: int = STREAMS, dropout: float = 0.3, query: str = "cue", **shape: int) -> Any:
    with seeded(seed, CPU):
        shape = {"features": FEATURES, "classes": CLASSES, "hidden": HIDDEN} | shape
        return MODELS[name](streams, dropout=dropout, query=query, **shape)


def double(name: str, **options: Any) -> Any:
    """A model in float64, dropout off, whose parameters are all other than those they begin with."""
    model = build(name, **options).double().eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn(p.shape, generator=generator, dtype=p.dtype)
    return model


def draw(seed: int = 0, streams: int = STREAMS, features: int = FEATURES) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        torch.rand(N, streams, features, generator=generator),
        torch.randint(streams, (N,), generator=generator),
        torch.randint(CLASSES, (N,), generator=generator),
    )


def draw_double(streams: int = STREAMS, features: int = FEATURES) -> tuple[Tensor, Tensor]:
    """Streams as a mechanism sees them, standardised, and cues."""
    batch = draw(1, streams, features)
    return (batch.stimulus.double() - 0.5) * 12**0.5, batch.cue


def parameters(model: nn.Module) -> Tensor:
    return torch.nn.utils.parameters_to_vector(model.parameters())


def close(ours: Tensor, theirs: Any) -> None:
    """Equal in float64 but for another order of summation."""
    torch.testing.assert_close(ours.detach(), torch.as_tensor(theirs).detach(), rtol=1e-10, atol=1e-12)


# What holds for all of them


@pytest.mark.parametrize(("streams", "query"), [(1, "cue"), (2, "cue"), (3, "cue"), (2, "content"), (3, "content")])
@pytest.mark.parametrize("name", MODELS)
def test_logits_have_one_row_per_trial_and_one_column_per_class(name: str, streams: int, query: str) -> None:
    batch, model = draw(streams=streams), build(name, streams=streams, query=query)
    logits = model(batch.stimulus, batch.cue)
    assert logits.shape == (N, CLASSES)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("features", [9, 16])  # square images, odd and even side
@pytest.mark.parametrize("name", ["conv_attention", "patch_attention"])
def test_square_images_are_seen_as_images(name: str, features: int) -> None:
    batch = draw(features=features)
    assert build(name, features=features)(batch.stimulus, batch.cue).shape == (N, CLASSES)


@pytest.mark.parametrize("name", MODELS)
def test_the_head_reads_what_represent_gives(name: str) -> None:
    batch, model = draw(), build(name).eval()
    represented = model.represent(batch.stimulus, batch.cue)
    assert represented.shape == (N, HIDDEN)
    assert torch.equal(model.head(represented), model(batch.stimulus, batch.cue))


@pytest.mark.parametrize("streams", [1, 2, 3])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention_rows_are_positive_and_sum_to_one_where_streams_compete(name: str, streams: int) -> None:
    model, (tokens, cue) = double(name, streams=streams), draw_double(streams)
    weights = model.weights(tokens, cue)
    assert weights is not None and weights.shape == (N, streams)
    assert (weights > 0).all() or name in SIGNED
    assert model.sums_to_one == (name not in COMPETITION_FREE)
    if model.sums_to_one:
        close(weights.sum(dim=1), torch.ones(N, dtype=torch.float64))
    else:
        assert (weights.sum(dim=1) - 1).abs().min() > 1e-3


@pytest.mark.parametrize("name", NO_ATTENTION)
def test_a_perceptron_has_no_attention(name: str) -> None:
    batch = draw()
    assert build(name).attention_weights(batch.stimulus, batch.cue) is None
    assert not MODELS[name].sums_to_one


@pytest.mark.parametrize("query", ["cue", "content"])
@pytest.mark.parametrize("name", MODELS)
def test_what_a_masked_stream_shows_changes_nothing_and_its_weight_is_zero(name: str, query: str) -> None:
    model, batch = build(name, streams=4, query=query).eval(), draw(streams=4)
    mask = torch.rand(N, 4, generator=torch.Generator().manual_seed(2)) < 0.6
    mask[torch.arange(N), batch.cue] = True  # it asks, or is asked for
    mask[torch.arange(N), (batch.cue + 1) % 4] = True
    shown, hidden = (torch.where(mask[:, :, None], batch.stimulus, other) for other in (0.3, torch.nan))
    assert not mask.all()
    assert torch.equal(model(shown, batch.cue, mask), model(hidden, batch.cue, mask))
    assert not torch.equal(model(shown, batch.cue, mask), model(shown, batch.cue))
    if name in ATTENTION:
        weights = model.attention_weights(hidden, batch.cue, mask)
        assert torch.equal(weights, model.attention_weights(shown, batch.cue, mask))
        attended = mask.clone()
        if query == "content" and name in ASKING:
            attended[torch.arange(N), batch.cue] = False  # the one that asks
        assert torch.equal(weights != 0, attended)
        if model.sums_to_one:  # float32 sums of at most 4 numbers below 1: a few units in the last place (6e-8)
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(N), rtol=0, atol=1e-6)


@pytest.mark.parametrize("query", ["cue", "content"])
@pytest.mark.parametrize("name", MODELS)
def test_a_padded_batch_gives_the_logits_of_the_model_for_fewer_streams(name: str, query: str) -> None:
    wide, narrow = double(name, streams=4, query=query), build(name, streams=3, query=query).double().eval()
    state = wide.state_dict()
    for key, own in narrow.state_dict().items():
        given = state[key]
        if own.shape != given.shape and name in NO_ATTENTION:  # [x_1 x_2 x_3 x_4 cue]
            own.copy_(torch.cat([given[:, : 3 * FEATURES], given[:, 4 * FEATURES : 4 * FEATURES + 3]], dim=1))
        else:
            own.copy_(given[tuple(slice(size) for size in own.shape)])
    stimulus, cue = draw_double(4)
    cue = cue % 3
    mask = torch.tensor([True, True, True, False]).expand(N, 4)
    close(wide(stimulus, cue, mask), narrow(stimulus[:, :3], cue))
    if name in ATTENTION:
        close(wide.attention_weights(stimulus, cue, mask)[:, :3], narrow.attention_weights(stimulus[:, :3], cue))


@pytest.mark.parametrize("name", MODELS)
def test_a_mask_of_all_streams_is_no_mask(name: str) -> None:
    model, (tokens, cue) = double(name, streams=3), draw_double(3)
    close(model(tokens, cue, torch.ones(N, 3, dtype=torch.bool)), model(tokens, cue))


@pytest.mark.parametrize("name", ["mlp", "softmax_attention"])
def test_a_mask_that_leaves_nothing_to_attend_is_refused(name: str) -> None:
    batch, mask = draw(), torch.ones(N, 2, dtype=torch.bool)
    mask[3] = False
    with pytest.raises(WrongUse, match=f"{name}: a mask leaves a trial no stream"):
        build(name)(batch.stimulus, batch.cue, mask)
    mask[3, batch.cue[3]] = True
    with pytest.raises(WrongUse, match="a mask leaves a trial no stream"):
        build(name, query="content")(batch.stimulus, batch.cue, mask)
    with pytest.raises(WrongUse, match="a mask hides the cued stream"):
        build(name, query="content")(batch.stimulus, 1 - batch.cue, mask)


def test_a_query_that_cannot_be_is_refused() -> None:
    with pytest.raises(WrongUse, match="unknown query 'contents'. Did you mean 'content'"):
        build("mlp", query="contents")
    with pytest.raises(WrongUse, match="softmax_attention: query='content' leaves 0 streams to ask about"):
        build("softmax_attention", query="content", streams=1)


@pytest.mark.parametrize("name", ASKING)
def test_a_question_of_content_is_the_cue_and_what_the_cued_stream_shows(name: str) -> None:
    model, (tokens, cue) = double(name, streams=3, query="content"), draw_double(3)
    asked = tokens.numpy()[np.arange(N), cue] @ model.shown.weight.detach().numpy().T
    close(model.question(tokens, cue), model.query.weight[cue].detach().numpy() + asked)


@pytest.mark.parametrize("name", ASKING)
def test_a_question_of_content_adds_one_matrix_and_leaves_the_other_parameters(name: str) -> None:
    first, second = (dict(build(name, query=query).named_parameters()) for query in ("cue", "content"))
    assert set(second) - set(first) == {"shown.weight"}
    assert {n for n, p in first.items() if p.shape != second[n].shape} == set()


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_parameters_to_the_bit_and_another_seed_others(name: str) -> None:
    assert torch.equal(parameters(build(name, 3)), parameters(build(name, 3)))
    assert not torch.equal(parameters(build(name, 3)), parameters(build(name, 4)))


@pytest.mark.parametrize("query", ["cue", "content"])
@pytest.mark.parametrize("name", MODELS)
def test_one_small_gradient_step_lowers_the_loss_and_moves_every_parameter_that_is_used(name: str, query: str) -> None:
    model, batch = build(name, query=query, streams=3).eval(), draw(streams=3)
    before = LOSSES[model.loss](model(batch.stimulus, batch.cue), batch.label)
    before.backward()
    unreached = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    asking = {"query.weight", "key.weight", "position"} | ({"shown.weight"} if query == "content" else set())
    unused = {"uniform_attention": asking, "gated_attention": asking, "encoder_decoder": {"symbol.weight"}}
    assert unreached == unused.get(name, set())
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None:
                p -= 1e-2 * p.grad
    assert evaluate(model, batch)[1] < before.item()


@pytest.mark.parametrize("name", MODELS)
def test_dropout_acts_in_training_and_not_in_evaluation(name: str) -> None:
    model, batch = build(name), draw()
    with seeded(0, CPU):
        once, again = model.train()(batch.stimulus, batch.cue), model(batch.stimulus, batch.cue)
        assert not torch.equal(once, again)
        assert torch.equal(model.eval()(batch.stimulus, batch.cue), model(batch.stimulus, batch.cue))


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_by_heart_a_few_trials_that_the_cue_tells_apart(name: str) -> None:
    first = torch.arange(8) % CLASSES
    label = torch.cat([first, (first + 1) % CLASSES])
    shown = draw().stimulus[:CLASSES, 0][label.reshape(2, 8).T]  # (8, streams, features): an image for each class
    stimulus, cue = shown.repeat(2, 1, 1), torch.arange(16) // 8
    most = 0.5 if name == "uniform_attention" else 1.0  # the same images, two answers: blind to the cue, half are right
    best = 0.0
    for seed in range(4):  # from one of four starts: a softmax that begins with a choice may not leave it
        model = build(name, seed, dropout=0.0, hidden=32)
        model.standardise_by(stimulus)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for _ in range(200):
            optimiser.zero_grad()
            logits = model(stimulus, cue)
            best = max(best, (logits.argmax(dim=1) == label).double().mean().item())
            if best >= most:
                break
            LOSSES[model.loss](logits, label).backward()
            optimiser.step()
        if best >= most:
            break
    assert best == most


@pytest.mark.parametrize("query", ["cue", "content"])
@pytest.mark.parametrize("name", OWN_ARITHMETIC)
def test_gradients_are_those_of_finite_differences(name: str, query: str) -> None:
    model = double(name, streams=3, query=query, features=3, hidden=4)
    tokens, cue = draw_double(3, 3)
    tokens, cue = tokens[:3].requires_grad_(), torch.tensor([0, 2, 1])
    mask = torch.tensor([[1, 1, 1], [0, 1, 1], [1, 1, 1]]).bool()
    named = {n: p.detach().requires_grad_() for n, p in model.named_parameters() if not n.startswith("head")}

    def context(tokens: Tensor, *values: Tensor) -> Tensor:
        given = dict(zip(named, values, strict=True))
        return torch.func.functional_call(_Context(model), {f"model.{n}": p for n, p in given.items()}, (tokens, cue, mask))

    assert torch.autograd.gradcheck(context, (tokens, *named.values()), fast_mode=True)


class _Context(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, cue: Tensor, mask: Tensor) -> Tensor:
        return self.model.context(tokens, cue, mask)


# The order of the streams


def permuted(name: str, model: Any, order: list[int]) -> dict[str, Tensor]:
    """The parameters of a model to whom the streams are shown in another order."""
    state = {n: p.clone() for n, p in model.state_dict().items()}
    if name in NO_ATTENTION:
        key = "joint.weight"
        images, cues = state[key].split([len(order) * FEATURES, len(order)], dim=1)
        images = images.unflatten(1, (len(order), FEATURES))[:, order].flatten(1)
        return state | {key: torch.cat([images, cues[:, order]], dim=1)}
    if name in FEATURE:
        mix = state["mix.weight"].unflatten(1, (len(order), FEATURES))[:, order].flatten(1)
        return state | {"w": state["w"][order][:, order], "mix.weight": mix}
    state["query.weight"] = state["query.weight"][order]
    if name in GATES:  # a score of each stream
        state["query.weight"] = state["query.weight"][:, order]
    return state | ({"position": state["position"][order]} if "position" in state else {})


@pytest.mark.parametrize("name", MODELS)
def test_streams_in_another_order_with_their_cues_and_parameters_leave_the_logits_unless_they_are_read_in_order(
    name: str,
) -> None:
    model, other, (tokens, cue) = double(name, streams=3), double(name, streams=3), draw_double(3)
    order = [2, 0, 1]
    other.load_state_dict(permuted(name, model, order))
    logits, moved = model(tokens, cue), other(tokens[:, order], torch.tensor(order).argsort()[cue])
    if name in IN_ORDER:
        assert (logits - moved).abs().max() > 1e-3
    else:
        close(moved, logits)


@pytest.mark.parametrize("name", [name for name in ATTENTION if name not in ("gated_attention", *GATES)])  # theirs follow the cue
def test_without_positions_the_weights_follow_the_streams_and_the_context_stays_unless_they_are_read_in_order(name: str) -> None:
    model, (tokens, cue) = double(name, streams=3), draw_double(3)
    if "position" in dict(model.named_parameters()):
        model.position.data.zero_()
    order = [2, 0, 1]
    weights, moved = model.weights(tokens, cue), model.weights(tokens[:, order], cue)
    context, after = model.context(tokens, cue), model.context(tokens[:, order], cue)
    if name in ORDER_FREE:
        close(moved, weights[:, order])
        close(after, context)
    else:  # what is read in order; and features, whose weights belong to their place
        assert (after - context).abs().max() > 1e-3
        assert (moved - weights[:, order]).abs().max() > 1e-3


def test_an_lstm_read_backwards_with_its_directions_exchanged_gives_the_same_weights_and_context() -> None:
    model, other, (tokens, cue) = double("lstm_attention", streams=3), double("lstm_attention", streams=3), draw_double(3)
    state, half = model.state_dict(), HIDDEN // 2
    swapped = {n: state[n.removesuffix("_reverse") if n.endswith("_reverse") else f"{n}_reverse"] for n in state if "lstm" in n}
    swapped |= {n: torch.cat([state[n][:, half:], state[n][:, :half]], dim=1) for n in ("key.weight", "gather.weight")}
    other.load_state_dict(state | swapped)
    close(other.weights(tokens.flip(1), cue), model.weights(tokens, cue).flip(1))
    close(other.context(tokens.flip(1), cue), model.context(tokens, cue))


def test_logits_of_uniform_attention_depend_neither_on_the_cue_nor_on_the_order_of_the_streams() -> None:
    model, batch = build("uniform_attention").eval(), draw()
    logits = model(batch.stimulus, batch.cue)
    assert torch.equal(logits, model(batch.stimulus, 1 - batch.cue))
    # a sum of two numbers is the same to the bit in either order, but matrix products may block rows otherwise
    torch.testing.assert_close(logits, model(batch.stimulus.flip(1), batch.cue), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("uniform_attention", *FEATURE)])
def test_the_cue_changes_the_logits_where_it_is_seen(name: str) -> None:
    model, (tokens, cue) = double(name), draw_double()
    assert (model(tokens, cue) - model(tokens, 1 - cue)).abs().max() > 1e-4


# The weights shown are the weights used


@pytest.mark.parametrize("query", ["cue", "content"])
@pytest.mark.parametrize("name", SUM_OF_VALUES)
def test_the_context_is_the_sum_of_the_values_by_the_weights_shown(name: str, query: str) -> None:
    model, (tokens, cue) = double(name, streams=3, query=query), draw_double(3)
    values = tokens @ model.value.weight.T + model.value.bias
    close(model.context(tokens, cue), torch.einsum("ns,nsd->nd", model.weights(tokens, cue), values))


@pytest.mark.parametrize(("name", "seen"), [("lstm_attention", "states"), ("conv_attention", "look")])
def test_the_weights_shown_pool_what_the_network_makes_of_the_streams(name: str, seen: str) -> None:
    model, (tokens, cue) = double(name, streams=3), draw_double(3)
    made = model.states(tokens, None) if seen == "states" else model.value(model.look(tokens))
    pooled = torch.einsum("ns,nsd->nd", model.weights(tokens, cue), made)
    close(model.context(tokens, cue), model.gather(pooled) if seen == "states" else pooled)


@pytest.mark.parametrize("name", ["self_attention", "transformer_encoder"])
def test_the_maps_of_self_attention_rebuild_its_context_and_its_weights(name: str) -> None:
    model, (tokens, cue) = double(name, streams=3), draw_double(3)
    maps = model.maps(tokens, cue)
    x = model.sequence(tokens, cue)
    for block, shares in zip(model.blocks, maps, strict=True):
        close(shares.sum(dim=3), torch.ones(shares.shape[:3], dtype=torch.float64))
        value = block.projection(block.first(x))[:, :, 2 * HIDDEN :].unflatten(2, (4, -1))  # (n, tokens, heads, d)
        x = block.think(x + block.out(torch.einsum("nhqt,nthd->nqhd", shares, value).flatten(2)))
    close(model.context(tokens, cue), model.gather(model.norm(x[:, 0])))
    eye = torch.eye(4, dtype=torch.float64)
    flow = ((maps[1].mean(dim=1) + eye) / 2 @ (maps[0].mean(dim=1) + eye) / 2)[:, 0, 1:]
    close(model.weights(tokens, cue), flow / flow.sum(dim=1, keepdim=True))
    close(rollout(maps).sum(dim=2), torch.ones(N, 4, dtype=torch.float64))


def test_the_weights_of_patch_attention_are_the_share_of_each_stream_in_what_the_class_token_attends_to() -> None:
    model, (tokens, cue) = double("patch_attention", streams=3, features=16), draw_double(3, 16)
    row = model.blocks[0].shares(model.sequence(tokens, cue))[:, :, 0, 1:].unflatten(2, (3, -1)).sum(dim=3)  # (n, heads, streams)
    close(model.weights(tokens, cue), (row / row.sum(dim=2, keepdim=True)).mean(dim=1))


# Each mechanism against another formulation


def numpy_of(model: Any) -> dict[str, np.ndarray]:
    return {n: p.detach().numpy() for n, p in model.named_parameters()}


def asked(model: Any, tokens: Tensor, cue: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Question (n, hidden), keys and values (n, streams, hidden) in NumPy."""
    p, x = numpy_of(model), tokens.numpy()
    return p["query.weight"][cue], x @ p["key.weight"].T + p["position"], x @ p["value.weight"].T + p["value.bias"]


def test_softmax_attention_is_scaled_dot_product_attention_as_torch_computes_it() -> None:
    model, (tokens, cue) = double("softmax_attention"), draw_double()
    query, keys, values = (torch.from_numpy(array) for array in asked(model, tokens, cue))
    close(model.context(tokens, cue), functional.scaled_dot_product_attention(query[:, None], keys, values).squeeze(1))


@pytest.mark.parametrize("name", ["uniform_attention", "gated_attention"])
def test_softmax_attention_and_its_controls_start_from_the_same_parameters(name: str) -> None:
    assert torch.equal(parameters(build("softmax_attention", 5)), parameters(build(name, 5)))


def test_given_attention_weighs_as_the_gate_of_the_spiking_network_does() -> None:
    model, (tokens, cue) = double("gated_attention", streams=3), draw_double(3)
    gains = InputGain().gains(cue.numpy(), 3, np.random.default_rng(0))
    np.testing.assert_allclose(model.weights(tokens, cue).numpy(), gains / gains.sum(axis=1, keepdims=True), rtol=1e-12)


def similarity(name: str, q: np.ndarray, keys: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    if name == "cosine_attention":
        return np.exp(p["log_beta"]) * (1 - cdist(q[None], keys, "cosine")[0])
    if name == "euclidean_attention":
        return -np.exp(p["log_beta"]) * cdist(q[None], keys)[0]
    return keys @ (p["form.weight"].T @ q if name == "bilinear_attention" else q)


@pytest.mark.parametrize("name", ["dot_attention", "cosine_attention", "euclidean_attention", "bilinear_attention"])
def test_each_similarity_is_the_one_that_scipy_computes(name: str) -> None:
    model, (tokens, cue) = double(name, streams=3), draw_double(3)
    query, keys, _ = asked(model, tokens, cue)
    score = np.array([similarity(name, query[i], keys[i], numpy_of(model)) for i in range(N)])
    close(model.weights(tokens, cue), special.softmax(score, axis=1))


def test_bilinear_attention_begins_as_softmax_attention() -> None:
    bilinear, softmax, (tokens, cue) = build("bilinear_attention").double(), build("softmax_attention").double(), draw_double()
    close(bilinear.weights(tokens, cue), softmax.weights(tokens, cue))


def test_cosine_attention_does_not_see_the_length_of_a_query_and_dot_attention_does() -> None:
    for name, sees in (("cosine_attention", False), ("dot_attention", True)):
        model, (tokens, cue) = double(name), draw_double()
        before = model.weights(tokens, cue)
        model.query.weight.data *= 3
        assert torch.allclose(model.weights(tokens, cue), before, rtol=1e-10) != sees


def test_feature_attention_of_one_two_three() -> None:
    w = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert weigh(w, "softmax").numpy().round(4).tolist() == [0.0900, 0.2447, 0.6652]
    assert weigh(w, "softmax").numpy().round(1).tolist() == [0.1, 0.2, 0.7]  # and not 0.1, 0.3, 0.6
    close(weigh(w, "exponential"), np.exp([1, 2, 3]))
    assert torch.equal(weigh(w, "linear"), w)
    with pytest.raises(WrongUse, match="unknown kind of feature attention 'max'.* Known: exponential, linear, softmax"):
        weigh(w, "max")


@pytest.mark.parametrize("name", FEATURE)
def test_feature_attention_weighs_the_input_of_a_linear_layer_and_begins_with_all_features_alike(name: str) -> None:
    model, (tokens, cue) = build(name, streams=3).double(), draw_double(3)
    x = tokens.flatten(1).numpy()
    p = numpy_of(model)
    close(model.context(tokens, cue), x @ p["mix.weight"].T + p["mix.bias"])
    model.w.data += torch.randn(model.w.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    w = numpy_of(model)["w"].reshape(3, -1)[cue]  # (n, streams * features)
    alpha = {"softmax": special.softmax(w, axis=1) * w.shape[1], "exponential": np.exp(w), "linear": w}[model.kind]
    close(model.context(tokens, cue), (alpha * x) @ p["mix.weight"].T + p["mix.bias"])
    shown = alpha / w.shape[1] if model.kind == "softmax" else alpha
    close(model.weights(tokens, cue), shown.reshape(N, 3, -1).sum(axis=2))


def test_additive_attention_is_the_sum_of_gated_values_and_a_layer_on_question_and_mean_value() -> None:
    model, (tokens, cue) = double("additive_attention", streams=3), draw_double(3)
    (query, keys, values), p = asked(model, tokens, cue), numpy_of(model)
    for i in range(N):
        gates = [special.expit(p["gate.weight"] @ np.concatenate([query[i], k]) + p["gate.bias"]) for k in keys[i]]
        beside = p["beside.weight"] @ np.concatenate([query[i], values[i].mean(axis=0)]) + p["beside.bias"]
        close(model.context(tokens, cue)[i], sum(g * v for g, v in zip(gates, values[i], strict=True)) + beside)
        close(model.weights(tokens, cue)[i], np.mean(gates, axis=1))


@pytest.mark.parametrize("hidden", [16, 6, 5])  # 4, 2 and 1 heads
def test_multi_head_attention_and_its_weights_are_those_of_torch(hidden: int) -> None:
    model, (tokens, cue) = double("multi_head_attention", streams=3, hidden=hidden), draw_double(3)
    mask = torch.ones(N, 3, dtype=torch.bool)
    mask[::2, 1] = False
    query, keys, values = (torch.from_numpy(array) for array in asked(model, tokens, cue))
    heads, eye = math.gcd(hidden, 4), torch.eye(hidden, dtype=torch.float64)
    theirs, weights = functional.multi_head_attention_forward(
        *(part.transpose(0, 1) for part in (query[:, None], keys, values)),
        *(hidden, heads, torch.cat([eye, eye, eye]), None, None, None, False, 0.0, model.out.weight, model.out.bias),
        key_padding_mask=~mask,
    )
    close(model.context(tokens, cue, mask), theirs[0])
    assert weights is not None
    close(model.weights(tokens, cue, mask), weights[:, 0])
    assert model.head_weights(tokens, cue).shape == (N, heads, 3)


def copied(theirs: nn.Module, pairs: dict[str, Tensor]) -> None:
    for name, p in theirs.named_parameters():
        p.data.copy_(pairs[name] if name in pairs else torch.zeros_like(p))  # projections without a bias


def of_block(block: Block) -> dict[str, Tensor]:
    assert block.mlp is not None and block.second is not None
    named = {"norm1": block.first, "self_attn.out_proj": block.out, "linear1": block.mlp[0], "linear2": block.mlp[2]}
    pairs = {f"{n}.{kind}": getattr(part, kind) for n, part in named.items() for kind in ("weight", "bias")}
    return pairs | {"self_attn.in_proj_weight": block.projection.weight}


def test_a_block_is_the_encoder_layer_of_torch() -> None:
    block = Block(HIDDEN, 0.0).double()
    theirs = nn.TransformerEncoderLayer(HIDDEN, 4, 2 * HIDDEN, 0.0, "gelu", batch_first=True, norm_first=True).double()
    second = {f"norm2.{kind}": getattr(block.second, kind) for kind in ("weight", "bias")}
    copied(theirs, of_block(block) | second)
    x, there = torch.randn(N, 5, HIDDEN, dtype=torch.float64), torch.arange(5).expand(N, 5) != 2
    close(block(x, there), theirs(x, src_key_padding_mask=~there))
    close(block(x), theirs(x))


def test_a_decoder_block_is_the_decoder_layer_of_torch() -> None:
    ours = DecoderBlock(HIDDEN, 0.0).double()
    theirs = nn.TransformerDecoderLayer(HIDDEN, 4, 2 * HIDDEN, 0.0, "gelu", batch_first=True, norm_first=True).double()
    named = {"norm2": ours.norm, "norm3": ours.block.second, "multihead_attn.out_proj": ours.out}
    pairs = {f"{n}.{kind}": getattr(part, kind) for n, part in named.items() for kind in ("weight", "bias")}
    pairs["multihead_attn.in_proj_weight"] = torch.cat([ours.query.weight, ours.offer.weight])
    copied(theirs, of_block(ours.block) | pairs)
    x, memory = torch.randn(N, 4, HIDDEN, dtype=torch.float64), torch.randn(N, 3, HIDDEN, dtype=torch.float64)
    there, later = torch.arange(3).expand(N, 3) != 1, torch.ones(4, 4).triu(1).bool()
    close(ours(x, memory, there), theirs(x, memory, tgt_mask=later, memory_key_padding_mask=~there))
    mixed = ours.block.mix(x, causal=True)
    _, weights = theirs.multihead_attn(theirs.norm2(mixed), memory, memory, key_padding_mask=~there)
    close(ours.shares(x, memory, there).mean(dim=1), weights)


def test_an_lstm_with_attention_is_its_equations() -> None:
    model, (tokens, cue) = double("lstm_attention", streams=3), draw_double(3)
    p, x = numpy_of(model), tokens.numpy()

    def states(end: str, order: list[int]) -> np.ndarray:
        h, c, seen = np.zeros((N, HIDDEN // 2)), np.zeros((N, HIDDEN // 2)), {}
        for i in order:
            z = x[:, i] @ p[f"lstm.weight_ih_l0{end}"].T + h @ p[f"lstm.weight_hh_l0{end}"].T
            inside, forget, cell, outside = np.split(z + p[f"lstm.bias_ih_l0{end}"] + p[f"lstm.bias_hh_l0{end}"], 4, axis=1)
            c = special.expit(forget) * c + special.expit(inside) * np.tanh(cell)
            h = seen[i] = special.expit(outside) * np.tanh(c)
        return np.stack([seen[i] for i in range(3)], axis=1)

    h = np.concatenate([states("", [0, 1, 2]), states("_reverse", [2, 1, 0])], axis=2)  # (n, streams, hidden)
    inside = np.tanh(p["query.weight"][cue][:, None] + h @ p["key.weight"].T + p["key.bias"])
    a = special.softmax(inside @ p["score.weight"][0], axis=1)
    close(model.weights(tokens, cue), a)
    close(model.context(tokens, cue), np.einsum("ns,nsd->nd", a, h) @ p["gather.weight"].T + p["gather.bias"])


def test_an_lstm_reads_the_streams_that_are_there_as_if_they_stood_side_by_side() -> None:
    model, (tokens, _) = double("lstm_attention", streams=4), draw_double(4)
    there = torch.tensor([True, False, True, True]).expand(N, 4).clone()
    there[1] = torch.tensor([False, True, False, False])
    states = model.states(tokens, there)
    close(states[[0, *range(2, N)]][:, [0, 2, 3]], model.states(tokens[:, [0, 2, 3]], None)[[0, *range(2, N)]])
    close(states[1, 1], model.states(tokens[1:2, 1:2], None)[0, 0])
    assert not states[~there].any()


@pytest.mark.parametrize("image", [(9,), (4, 5)])
def test_block_attention_is_that_of_its_paper(image: tuple[int, ...]) -> None:
    with seeded(0, CPU):
        block = conv_attention.CBAM(8, flat=len(image) == 1).double()
        x = torch.randn(3, 8, *image, dtype=torch.float64)
    p, out = numpy_of(block), block(x)
    for i in range(3):
        seen = x[i].numpy()

        def mlp(v: np.ndarray) -> np.ndarray:
            return p["mlp.2.weight"] @ np.maximum(p["mlp.0.weight"] @ v + p["mlp.0.bias"], 0) + p["mlp.2.bias"]

        flat = seen.reshape(8, -1)
        share = special.expit(mlp(flat.mean(axis=1)) + mlp(flat.max(axis=1)))
        seen = share.reshape(8, *[1] * len(image)) * seen
        pooled, kernel = (seen.mean(axis=0), seen.max(axis=0)), p["conv.weight"][0]
        where = sum(signal.correlate(part, k, "full") for part, k in zip(pooled, kernel, strict=True))
        where = where[tuple(slice(3, 3 + size) for size in image)]  # a border of 3 zeros on each side of the image
        close(out[i], special.expit(where + p["conv.bias"]) * seen)


def test_linear_attention_is_a_hebbian_matrix_written_stream_by_stream_and_read_once() -> None:
    model, (tokens, cue) = double("linear_attention", streams=3), draw_double(3)
    (query, keys, values), memory = asked(model, tokens, cue), model.memory(tokens, cue)

    def phi(x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x + 1, np.exp(x))

    for i in range(N):
        S, z = np.zeros((HIDDEN, HIDDEN)), np.zeros(HIDDEN)
        for k, v in zip(keys[i], values[i], strict=True):
            S, z = S + np.outer(v, phi(k)), z + phi(k)
        close(memory[0][i], S)
        close(memory[1][i], z)
        close(model.context(tokens, cue)[i], S @ phi(query[i]) / (z @ phi(query[i])))


def test_fast_weights_are_a_sum_of_outer_products_read_by_the_question() -> None:
    model, (tokens, cue) = double("fast_weights", streams=3), draw_double(3)
    query, keys, values = asked(model, tokens, cue)
    for i in range(N):
        W = sum(np.outer(v, k) for v, k in zip(values[i], keys[i], strict=True))
        close(model.memory(tokens, cue)[i], W)
        close(model.context(tokens, cue)[i], W @ query[i] / np.sqrt(HIDDEN))


def test_fast_weights_that_keep_keys_and_questions_as_they_are_recall_as_a_hebbian_memory_does() -> None:
    task = AssociativeRecall(pairs=6, dimension=32, values=10, train=10, validation=10, test=40)
    shown = task.draw(np.random.default_rng(0)).test
    with seeded(0, CPU):
        model = MODELS["fast_weights"](7, 42, 10, hidden=32, query="content").double()
    signs = torch.zeros(32, 42, dtype=torch.float64)
    signs[:, :32] = torch.eye(32, dtype=torch.float64) / 32**0.25  # with 1/sqrt(hidden) both keys have length one
    model.standardise_by(torch.zeros(1, 7, 42, dtype=torch.float64))
    model.mean[:32], model.scale = torch.tensor(0.5), torch.tensor(0.5)  # 0 and 1 become -1 and 1
    with torch.no_grad():
        for weight in (model.key.weight, model.shown.weight):
            weight.copy_(signs)
        model.position.zero_()
        model.query.weight.zero_()
    stimulus, cue = (torch.from_numpy(part) for part in split_streams(shown.X, 7))
    expected = RateMemory("hebb", streams=7, dimension=32).fit(shown.X, shown.y).attention_weights(shown.X)
    close(model.attention_weights(stimulus, cue), torch.from_numpy(expected))


def test_delta_attention_is_the_delta_rule_applied_stream_by_stream() -> None:
    model, (tokens, cue) = double("delta_attention", streams=4), draw_double(4)
    (query, keys, values), p = asked(model, tokens, cue), numpy_of(model)
    rate = special.expit(tokens.numpy() @ p["rate.weight"][0] + p["rate.bias"])
    for i in range(N):
        W = np.zeros((HIDDEN, HIDDEN))
        for s in range(4):
            k = keys[i, s] / np.linalg.norm(keys[i, s])
            W += rate[i, s] * np.outer(values[i, s] - W @ k, k)
        close(model.memory(tokens, cue)[i], W)
        close(model.context(tokens, cue)[i], W @ query[i] / np.linalg.norm(query[i]))


def test_a_key_written_at_full_rate_recalls_what_was_written_last_with_it() -> None:
    model, (tokens, cue) = double("delta_attention", streams=3, query="content"), draw_double(3)
    model.position.data.zero_()
    model.query.weight.data.zero_()
    model.rate.weight.data.zero_()
    model.rate.bias.data.fill_(100.0)  # sigmoid = 1
    model.shown.weight.data.copy_(model.key.weight)  # a stream asks with its own key
    tokens[:, 2] = tokens[:, 1] * 2  # longer, but the same direction
    close(model.context(tokens, torch.full_like(cue, 2)), model.value(tokens[:, 1]))
    tokens[:, 1] = tokens[:, 0] * 3
    # the second of two equal keys has replaced what the first wrote
    tokens[:, 2] = tokens[:, 0]
    close(model.context(tokens, torch.full_like(cue, 2)), model.value(tokens[:, 1]))
    close(model.weights(tokens, torch.full_like(cue, 2)), torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64).expand(N, 3))


def test_hopfield_attention_with_one_association_is_softmax_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    hopfield, softmax = double("hopfield_attention", streams=3), double("softmax_attention", streams=3)
    softmax.load_state_dict({n: p for n, p in hopfield.state_dict().items() if n != "log_beta"})
    hopfield.log_beta.data.fill_(-math.log(HIDDEN) / 2)
    tokens, cue = draw_double(3)
    monkeypatch.setattr(hopfield_attention, "STEPS", 1)
    close(hopfield.context(tokens, cue), softmax.context(tokens, cue))


def test_hopfield_attention_updates_its_state_twice_and_then_reads() -> None:
    model, (tokens, cue) = double("hopfield_attention", streams=3), draw_double(3)
    (query, keys, values), beta = asked(model, tokens, cue), np.exp(numpy_of(model)["log_beta"])
    for i in range(N):
        state = query[i]
        for _ in range(2):
            state = keys[i].T @ special.softmax(beta * keys[i] @ state)
        close(model.context(tokens, cue)[i], values[i].T @ special.softmax(beta * keys[i] @ state))


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_the_energy_of_a_hopfield_network_never_rises(beta: float) -> None:
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(50, 6, 8, generator=generator, dtype=torch.float64)
    state = 3 * torch.randn(50, 8, generator=generator, dtype=torch.float64)
    energies = []
    for _ in range(6):
        score = torch.einsum("nd,nsd->ns", state, patterns)
        energies.append(-torch.logsumexp(beta * score, dim=1) / beta + state.square().sum(dim=1) / 2)
        state = hopfield_attention.retrieve(state, patterns, beta)
    falls = -torch.stack(energies).diff(dim=0)
    assert falls.min() > -1e-12  # rounding of sums near 10
    assert falls[0].min() > 1e-3


def test_a_hopfield_network_completes_a_damaged_pattern_in_one_update() -> None:
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randint(2, (1, 10, 64), generator=generator).double() * 2 - 1
    damaged = patterns[:, 3].clone()
    damaged[:, :16] = 0  # a quarter is missing
    found = hopfield_attention.retrieve(damaged, patterns, 1.0)
    # the nearest pattern scores 48, the others 0 +- 7: all of them together weigh less than 10 exp(-48 + 4 * 7)
    torch.testing.assert_close(found, patterns[:, 3], rtol=0, atol=1e-7)


def test_the_sigmoid_perceptron_is_its_equations() -> None:
    model, (tokens, cue) = double("mlp_sigmoid"), draw_double()
    p = list(numpy_of(model).values())  # of the head, then of the joint layer
    a = np.concatenate([tokens.flatten(1).numpy(), np.eye(STREAMS)[cue]], axis=1)
    for W, b in ((p[4], p[5]), (p[0], p[1]), (p[2], p[3])):
        z = a @ W.T + b
        a = special.expit(z)
    close(model(tokens, cue), a)
    assert model.loss == "squared_error" and {MODELS[name].loss for name in MODELS if name != "mlp_sigmoid"} == {"cross_entropy"}


# From sequence to sequence


@pytest.mark.full
def test_an_encoder_decoder_learns_to_reverse_a_sequence() -> None:
    length = 5
    model = build("encoder_decoder", streams=length, features=CLASSES, hidden=32, dropout=0.0)
    generator = torch.Generator().manual_seed(0)
    symbols = torch.randint(CLASSES, (600, length), generator=generator)
    source, target = torch.eye(CLASSES)[symbols], symbols.flip(1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with seeded(0, CPU):
        for _ in range(200):
            part = torch.randint(500, (64,), generator=generator)
            optimiser.zero_grad()
            functional.cross_entropy(
                model.sequence_logits(source[part], target[part]).flatten(0, 1), target[part].flatten()
            ).backward()
            optimiser.step()
    fresh = torch.tensor([tuple(row) not in {tuple(row) for row in symbols[:500].tolist()} for row in symbols[500:].tolist()])
    assert fresh.sum() > 50  # sequences that it has never seen
    assert torch.equal(model.eval().generate(source[500:], length), target[500:])


def test_no_symbol_of_the_decoder_sees_a_later_one_and_every_earlier_one_counts() -> None:
    model, (tokens, cue) = double("encoder_decoder", streams=4), draw_double(4)
    target = torch.randint(CLASSES, (N, 5), generator=torch.Generator().manual_seed(0))
    logits = model.sequence_logits(tokens, target, cue)
    for changed in range(5):
        other = target.clone()
        other[:, changed] = (other[:, changed] + 1) % CLASSES
        moved = (model.sequence_logits(tokens, other, cue) - logits).abs().amax(dim=(0, 2))  # (length,)
        assert not moved[: changed + 1].any()  # not even itself: it is what is to be predicted
        assert (moved[changed + 1 :] > 1e-6).all()


def test_the_decoder_knows_in_which_order_symbols_were_written() -> None:
    model, (tokens, cue) = double("encoder_decoder", streams=4), draw_double(4)
    written = torch.tensor([0, 1, 2, 3]).expand(N, 4)
    logits, swapped = (model.sequence_logits(tokens, written[:, order], cue)[:, 3] for order in ([0, 1, 2, 3], [1, 0, 2, 3]))
    assert (logits - swapped).abs().amax(dim=1).min() > 1e-4


def test_a_written_symbol_is_the_most_probable_one_after_those_before_it() -> None:
    model, (tokens, cue) = double("encoder_decoder", streams=4), draw_double(4)
    mask = torch.ones(N, 4, dtype=torch.bool)
    mask[::3, 2] = False
    written = model.generate(tokens, 5, cue, mask)
    assert torch.equal(written, model.sequence_logits(tokens, written, cue, mask).argmax(dim=2))
    assert torch.equal(model.generate(tokens, 5), model.generate(tokens, 5, torch.zeros_like(cue)))


def test_a_classifier_is_an_encoder_decoder_that_writes_one_symbol() -> None:
    model, (tokens, cue) = double("encoder_decoder", streams=4), draw_double(4)
    close(model(tokens, cue), model.sequence_logits(tokens, torch.zeros(N, 1, dtype=torch.int64), cue)[:, 0])


def test_in_a_sequence_gradients_reach_every_parameter_of_an_encoder_decoder() -> None:
    model, batch = build("encoder_decoder", streams=3).eval(), draw(streams=3)
    target = batch.label[:, None].expand(N, 3)
    functional.cross_entropy(model.sequence_logits(batch.stimulus, target).flatten(0, 1), target.flatten()).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_places_are_sines_and_cosines_whose_products_depend_on_their_distance_alone() -> None:
    table = places(6, 8)
    close(table[3], np.concatenate([f(3 * 10000.0 ** (-np.arange(0, 8, 2) / 8)) for f in (np.sin, np.cos)]))
    products = table @ table.T
    close(products[:-1, :-1], products[1:, 1:])
    assert places(4, 5).shape == (4, 5)


# Questions of content


@pytest.mark.full
@pytest.mark.parametrize("name", ["softmax_attention", "delta_attention", "uniform_attention"])
def test_a_question_of_content_recalls_the_value_that_was_shown_with_its_key(name: str) -> None:
    generator, pairs, n = torch.Generator().manual_seed(0), 4, 1300
    keys = torch.stack([torch.randperm(8, generator=generator)[:pairs] for _ in range(n)])  # (n, pairs), all different
    values = torch.randint(CLASSES, (n, pairs), generator=generator)
    which = torch.randint(pairs, (n,), generator=generator)
    shown = torch.cat([torch.eye(8)[keys], torch.eye(CLASSES)[values]], dim=2)
    question = torch.cat([shown[torch.arange(n), which, :8], torch.zeros(n, CLASSES)], dim=1)
    stimulus, cue = torch.cat([shown, question[:, None]], dim=1), torch.full((n,), pairs)
    label = values[torch.arange(n), which]
    training, validation = (Batch(stimulus[part], cue[part], label[part]) for part in (slice(1000), slice(1000, None)))
    model = build(name, streams=pairs + 1, features=8 + CLASSES, hidden=64, dropout=0.0, query="content")
    with seeded(0, CPU):
        train(model, training, validation, epochs=20, learning_rate=2e-2, weight_decay=0.0, batch=64, patience=20)
    accuracy, _ = evaluate(model, validation)
    if name == "uniform_attention":  # the most frequent of four values is right in less than half of the trials
        assert accuracy < 0.6
    else:
        assert accuracy > 0.95


# Standardisation, the registry, training


def test_standardised_training_stimuli_have_mean_zero_and_standard_deviation_one() -> None:
    model, batch = build("mlp"), draw()
    model.standardise_by(batch.stimulus)
    tokens = model.standardise(batch.stimulus)
    # float32 means over 48 numbers
    torch.testing.assert_close(tokens.mean(dim=(0, 1)), torch.zeros(FEATURES), rtol=0, atol=1e-5)
    assert tokens.square().mean().item() == pytest.approx(1, abs=1e-5)


def test_streams_that_are_not_there_have_no_part_in_the_standardisation() -> None:
    padded, alone, batch = build("mlp"), build("mlp"), draw()
    mask = torch.ones(N, STREAMS, dtype=torch.bool)
    mask[5:, 1] = False
    padded.standardise_by(torch.where(mask[:, :, None], batch.stimulus, torch.nan), mask)
    alone.standardise_by(torch.cat([batch.stimulus[:, 0], batch.stimulus[:5, 1]])[:, None])
    # float32 means over 29 numbers in another order
    torch.testing.assert_close(padded.mean, alone.mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(padded.scale, alone.scale, rtol=0, atol=1e-6)


def test_a_stimulus_that_never_changes_is_standardised_to_zero_and_not_to_nan() -> None:
    model = build("mlp")
    model.standardise_by(torch.full((N, STREAMS, FEATURES), 0.5))
    assert torch.equal(model.standardise(torch.full((1, STREAMS, FEATURES), 0.5)), torch.zeros(1, STREAMS, FEATURES))


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WrongUse, match="^unknown model 'softmax'. Did you mean 'feature_softmax'\\? `plasticity list` shows all"):
        MODELS["softmax"]
    assert {"feature_softmax", "softmax_attention", "uniform_attention"} <= set(MODELS)  # more than one message can name


@pytest.mark.parametrize("name", MODELS)
def test_every_model_says_in_one_line_what_it_is_and_where_it_comes_from(name: str) -> None:
    model = MODELS[name]
    assert model.name == name
    assert model.summary and "\n" not in model.summary
    assert "arXiv:" in model.source or "doi:" in model.source
    assert model.loss in LOSSES


def test_seeded_leaves_the_generator_of_torch_as_it_was_even_after_an_error() -> None:
    before = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt), seeded(7, CPU):
        torch.rand(3)
        raise KeyboardInterrupt
    assert torch.equal(before, torch.get_rng_state())


def test_one_thread_inside_and_as_many_as_before_outside_even_after_an_error() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyboardInterrupt), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_learning_curve_has_at_least_six_points_inside_the_first_epoch() -> None:
    assert len({step for step in curve_points(2000, 64) if step < 2000 / 64}) >= 6


@pytest.mark.parametrize("name", ["softmax_attention", "uniform_attention", "mlp", "patch_attention"])
def test_training_leaves_the_weights_of_the_lowest_validation_loss(name: str) -> None:
    model, training, validation = build(name), draw(0), draw(1)  # random labels: the validation loss rises soon
    with seeded(0, CPU):
        history = train(model, training, validation, epochs=40, learning_rate=1e-2, weight_decay=0.0, batch=8, patience=5)
    shown = history.trials[-1]
    assert shown == history.best_trials + 5 * N < 40 * N  # stopped after 5 epochs without a lower one
    ends = history.trials % N == 0
    assert history.loss[ends].min() == evaluate(model, validation)[1] < history.loss[-1]


def test_training_that_diverges_is_an_error_that_says_what_to_change() -> None:
    with seeded(0, CPU), pytest.raises(PlasticityError, match="diverged in epoch 1.*smaller learning_rate than 1e\\+30"):
        train(build("mlp"), draw(0), draw(1), epochs=2, learning_rate=1e30, weight_decay=0.0, batch=4, patience=5)
