"""What every attention model must do, and what each mechanism promises."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models import MODELS
from bridges.training import Batch, curve_points, evaluate, one_thread, seeded, train
from plasticity.errors import PlasticityError, WrongUse

N, STREAMS, FEATURES, CLASSES, HIDDEN = 24, 2, 7, 5, 16
CPU = torch.device("cpu")
ATTENTION = ["softmax_attention", "uniform_attention", "patch_attention"]


def build(name: str, seed: int = 0, streams: int = STREAMS, dropout: float = 0.3) -> Any:
    with seeded(seed, CPU):
        return MODELS[name](streams, FEATURES, CLASSES, HIDDEN, dropout)


def draw(seed: int = 0, streams: int = STREAMS) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        torch.rand(N, streams, FEATURES, generator=generator),
        torch.randint(streams, (N,), generator=generator),
        torch.randint(CLASSES, (N,), generator=generator),
    )


def parameters(model: nn.Module) -> Tensor:
    return torch.nn.utils.parameters_to_vector(model.parameters())


@pytest.mark.parametrize("streams", [2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_logits_have_one_row_per_trial_and_one_column_per_class(name: str, streams: int) -> None:
    batch = draw(streams=streams)
    logits = build(name, streams=streams)(batch.stimulus, batch.cue)
    assert logits.shape == (N, CLASSES)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("streams", [2, 3])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention_rows_are_positive_and_sum_to_one(name: str, streams: int) -> None:
    batch = draw(streams=streams)
    weights = build(name, streams=streams).attention_weights(batch.stimulus, batch.cue)
    assert weights is not None and weights.shape == (N, streams)
    assert (weights > 0).all()
    # float32 sums of 2 or 3 numbers below 1: a few units in the last place (6e-8)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(N), rtol=0, atol=1e-6)


def test_the_mlp_has_no_attention() -> None:
    batch = draw()
    assert build("mlp").attention_weights(batch.stimulus, batch.cue) is None


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_parameters_to_the_bit_and_another_seed_others(name: str) -> None:
    assert torch.equal(parameters(build(name, 3)), parameters(build(name, 3)))
    assert not torch.equal(parameters(build(name, 3)), parameters(build(name, 4)))


@pytest.mark.parametrize("name", MODELS)
def test_one_small_gradient_step_lowers_the_loss(name: str) -> None:
    model, batch = build(name).eval(), draw()
    before = functional.cross_entropy(model(batch.stimulus, batch.cue), batch.label)
    before.backward()
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None:
                p -= 1e-2 * p.grad
    assert evaluate(model, batch)[1] < before.item()


@pytest.mark.parametrize("name", MODELS)
def test_gradients_reach_every_parameter_that_the_mechanism_uses(name: str) -> None:
    model, batch = build(name).eval(), draw()
    functional.cross_entropy(model(batch.stimulus, batch.cue), batch.label).backward()
    unreached = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert unreached == ({"query.weight", "key.weight", "position"} if name == "uniform_attention" else set())


@pytest.mark.parametrize("name", MODELS)
def test_dropout_acts_in_training_and_not_in_evaluation(name: str) -> None:
    model, batch = build(name), draw()
    with seeded(0, CPU):
        assert not torch.equal(model.train()(batch.stimulus, batch.cue), model(batch.stimulus, batch.cue))
        assert torch.equal(model.eval()(batch.stimulus, batch.cue), model(batch.stimulus, batch.cue))


def test_softmax_attention_is_scaled_dot_product_attention_as_torch_computes_it() -> None:
    model, batch = build("softmax_attention").double().eval(), draw()
    tokens = model.standardise(batch.stimulus.double())
    query = model.query.weight[batch.cue].unsqueeze(1)  # (n, 1, hidden): row of the cue
    keys, values = tokens @ model.key.weight.T + model.position, model.value(tokens)  # (n, streams, hidden)
    theirs = functional.scaled_dot_product_attention(query, keys, values).squeeze(1)  # (n, hidden)
    # float64 in another order of summation
    torch.testing.assert_close(model.context(tokens, batch.cue), theirs, rtol=1e-12, atol=1e-12)


def test_softmax_and_uniform_attention_start_from_the_same_parameters() -> None:
    assert torch.equal(parameters(build("softmax_attention", 5)), parameters(build("uniform_attention", 5)))


def test_logits_of_uniform_attention_depend_neither_on_the_cue_nor_on_the_order_of_the_streams() -> None:
    model, batch = build("uniform_attention").eval(), draw()
    logits = model(batch.stimulus, batch.cue)
    assert torch.equal(logits, model(batch.stimulus, 1 - batch.cue))
    # a sum of two numbers is the same to the bit in either order, but matrix products may block rows otherwise
    torch.testing.assert_close(logits, model(batch.stimulus.flip(1), batch.cue), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["softmax_attention", "mlp"])
def test_the_cue_changes_the_logits_where_it_is_seen(name: str) -> None:
    model, batch = build(name).eval(), draw()
    assert (model(batch.stimulus, batch.cue) - model(batch.stimulus, 1 - batch.cue)).abs().max() > 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_swapping_streams_cue_and_the_parameters_of_both_streams_leaves_the_logits(name: str) -> None:
    model, batch = build(name).double().eval(), draw()
    swapped = copy.deepcopy(model)
    with torch.no_grad():
        if name == "mlp":
            first, second, cue = model.joint.weight.split([FEATURES, FEATURES, STREAMS], dim=1)
            swapped.joint.weight.copy_(torch.cat([second, first, cue.flip(1)], dim=1))
        else:
            swapped.position.copy_(model.position.flip(0))
            swapped.query.weight.copy_(model.query.weight.flip(0))
    stimulus = batch.stimulus.double()
    # float64 in another order of summation
    torch.testing.assert_close(model(stimulus, batch.cue), swapped(stimulus.flip(1), 1 - batch.cue), rtol=1e-10, atol=1e-12)


def test_standardised_training_stimuli_have_mean_zero_and_standard_deviation_one() -> None:
    model, batch = build("mlp"), draw()
    model.standardise_by(batch.stimulus)
    tokens = model.standardise(batch.stimulus)
    # float32 means over 48 numbers
    torch.testing.assert_close(tokens.mean(dim=(0, 1)), torch.zeros(FEATURES), rtol=0, atol=1e-5)
    assert tokens.square().mean().item() == pytest.approx(1, abs=1e-5)


def test_a_stimulus_that_never_changes_is_standardised_to_zero_and_not_to_nan() -> None:
    model = build("mlp")
    model.standardise_by(torch.full((N, STREAMS, FEATURES), 0.5))
    assert torch.equal(model.standardise(torch.full((1, STREAMS, FEATURES), 0.5)), torch.zeros(1, STREAMS, FEATURES))


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WrongUse, match="unknown model 'softmax'.*mlp, patch_attention, softmax_attention, uniform_attention"):
        MODELS["softmax"]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_says_in_one_line_what_it_is_and_where_it_comes_from(name: str) -> None:
    model = MODELS[name]
    assert model.name == name
    assert model.summary and "\n" not in model.summary
    assert "arXiv:" in model.source or "doi:" in model.source


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


@pytest.mark.parametrize("name", MODELS)
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
