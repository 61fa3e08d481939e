"""The map of when attention strengthens synapses: its conditions, what is said of them, and a small run of it."""

from __future__ import annotations

import numpy as np
import pytest

from plasticity.engine import canonical, compiler
from plasticity.errors import WrongUse
from plasticity.weight_drift import noise_correlation, share_for
from simulations.attention_map import RULES, AttentionMap
from simulations.figures import draw_all
from simulations.figures.attention_map import V4, fluctuation_of_v4
from simulations.frame.gain_plane import signs

SMALL = AttentionMap(gains=(1.0, 2.0), fluctuations=(1.0, 2.0), tau_c_ms=(10.0,), dt_ms=(0.5,), duration_s=24.0, A_plus=0.03)
needs_compiler = pytest.mark.skipif(not compiler(), reason="runs of the network take minutes without a C++ compiler")


def planted(made, law=1.0, seeds=6):
    """Arrays in which the attended synapses win where the noise correlation rises (or lose, with law -1), and noise of 0.003."""
    rng = np.random.default_rng(3)
    points, share = made.points(), made.share(made.tau_c_ms[0])
    squared = np.array([p.fluctuation**2 / p.gain for p in points]) * (made.base_hz * share) ** 2 / made.base_hz
    noise = np.stack([noise_correlation(1.0, squared, 0.01, 0.1), np.full(len(points), made.noise_correlation)], axis=-1)
    wins = law * (noise[:, 0] - noise[:, 1])
    w = 0.5 + np.stack([0.2 * wins, -0.8 * wins], axis=-1)[:, None] + 0.003 * rng.standard_normal((len(points), seeds, 2))
    level = np.array([w * gain for gain, w in made.levels()])
    return {
        "weights": w, "noise": np.repeat(noise[:, None], seeds, axis=1), "input_hz": np.ones(w.shape),
        "output_hz": 10 + rng.standard_normal(w.shape[:2]), "level_hz": np.repeat(5 + 20 * level[:, None], seeds, axis=1),
    }  # fmt: skip


def test_every_rule_has_the_plane_and_the_first_the_lines():
    made = AttentionMap()
    points = made.points()
    assert len(points) == len(set(points))
    plane = len(made.gains) * len(made.fluctuations)
    for rule in RULES:
        assert sum(p[:3] == (rule, 10.0, 0.5) for p in points) == plane
    rest = points[len(RULES) * plane :]
    assert {p[:3] for p in rest} == {("soft_bounds", 30.0, 0.5), ("soft_bounds", 100.0, 0.5), ("soft_bounds", 10.0, 0.25)}
    assert all(p.fluctuation in (1, p.gain) for p in rest)


def test_two_compiled_programs_serve_every_rule():
    texts = {str(canonical(SMALL.network(rule, 0.5).structure())) for rule in RULES}
    assert len(texts) == 2
    assert {SMALL.rule(rule)[1] for rule in RULES} == {0.0, SMALL.mu}


def test_settings_without_what_the_rest_is_compared_with_are_refused():
    for wrong in ({"gains": (2.0, 4.0)}, {"gains": (1.0, 1.0)}, {"fluctuations": (2.0,)}, {"gains": ()}):
        with pytest.raises(WrongUse, match="rise"):
            AttentionMap(**wrong).outcome([0])
    with pytest.raises(WrongUse, match="--set rules="):
        AttentionMap(rules=()).refuse()


def test_a_row_says_what_the_contract_asks_and_a_planted_law_is_found():
    made = AttentionMap(rules=("soft_bounds", "additive"), tau_c_ms=(10.0,), dt_ms=(0.5,))
    a = planted(made)
    numbers = made.numbers(a)
    row = numbers["map"][-1]
    names = {"gain", "fluctuation", "noise_correlation", "rule", "dt_ms", "attended", "ignored", "difference"}
    assert names <= row.keys()
    assert all({"mean", "low", "high"} == row[name].keys() for name in ("attended", "ignored", "difference"))
    assert row["difference"]["mean"] == pytest.approx(np.diff(a["weights"][-1])[:, 0].mean() * -1)
    assert numbers["difference_multiplied"] == numbers["map"][29]["difference"]
    for found in numbers["signs"]:
        assert found["noise_correlation"] == found["decided"] > 15
        assert 0 < found["won"] < found["decided"] and found["falling"] > 0.8 * found["won"]
    checks = {check.name: check.holds for check in made.checks(a)}
    law = [name for name in checks if "raises the noise correlation" in name or "as in V4" in name]
    assert len(law) == 4 and all(checks[name] for name in law)
    checks = {check.name: check.holds for check in made.checks(planted(made, law=-1.0))}
    assert not any(checks[name] for name in law)


@pytest.mark.parametrize("c", [0.01, 0.08, 0.3])
def test_the_point_of_v4_lies_where_its_gain_halves_the_noise_correlation(c):
    squared = share_for(c, 15.0, 0.01, 0.1) ** 2 * 15.0  # variance of the common fluctuation over the mean rate, at gain 1
    assert noise_correlation(1.0, squared, 0.01, 0.1) == pytest.approx(c)
    assert noise_correlation(1.0, squared * fluctuation_of_v4(c) ** 2 / V4, 0.01, 0.1) == pytest.approx(c / 2)
    assert fluctuation_of_v4(0.08) == pytest.approx(0.78, abs=0.01)


def test_signs_of_no_decided_row_are_none():
    assert signs([])["decided"] == 0 and np.isnan(signs([])["simulated_over_theory"])


def test_figures_are_drawn_from_arrays_alone():
    made = AttentionMap(
        rules=("soft_bounds", "triplet"), gains=(1.0, 2.0), fluctuations=(0.5, 1.0, 2.0), dt_ms=(0.5,), duration_s=8
    )
    drawn = draw_all(made.figures(planted(made)))
    assert set(drawn) == {"map", "noise_correlation", "changes", "time_constants"}
    axis = drawn["map"].axes[0]
    assert "gain" in axis.get_xlabel() + drawn["map"].axes[1].get_xlabel() and "fluctuation" in axis.get_ylabel()


@pytest.mark.full
@needs_compiler
def test_a_small_map_has_the_signs_of_the_large_one():
    made = SMALL.outcome(range(4), 2)
    rows = {(row["rule"], row["gain"], row["fluctuation"]): row for row in made.numbers["map"]}
    for rule in RULES:
        assert rows[rule, 1.0, 1.0]["noise_correlation"] == pytest.approx(SMALL.noise_correlation, abs=0.02)
        assert rows[rule, 2.0, 1.0]["noise_correlation"] < 0.06 < 0.11 < rows[rule, 2.0, 2.0]["noise_correlation"]
        assert rows[rule, 2.0, 2.0]["difference"]["mean"] > max(0, rows[rule, 2.0, 1.0]["difference"]["mean"])
        assert 5 < rows[rule, 1.0, 1.0]["output_hz"]["mean"] < 20
    for rule in ("soft_bounds", "additive"):
        assert rows[rule, 2.0, 1.0]["difference"]["mean"] < 0
    assert (np.diff(np.sort(made.arrays["level_hz"].mean(axis=1))) > 0).all()
