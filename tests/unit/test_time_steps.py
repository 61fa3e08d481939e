"""The comparison at half the time step: it sees a change, sees none where there is none, and goes on where it stopped."""

from __future__ import annotations

import numpy as np
import pytest

from plasticity.errors import WrongUse
from plasticity.files import write_npz
from simulations import SIMULATIONS
from simulations.frame.experiment import Session
from simulations.pattern_detection import PatternDetection
from simulations.time_steps import TimeSteps, changes, stepped

BCM = SIMULATIONS["bcm_threshold"]


def measured(shift: float, seeds: int = 8) -> np.ndarray:
    """Values of the measures of `bcm_threshold` at both steps, (2, measures, seeds), noisy, the finer ones shifted."""
    found = np.random.default_rng(1).normal(20, 0.1, (2, len(BCM.measures), seeds))
    found[1] += shift
    return found


@pytest.mark.parametrize(("shift", "holds"), [(0.0, True), (0.5, False), (-0.5, False)])
def test_a_change_that_is_no_noise_fails_the_check_and_noise_does_not(shift, holds):
    (check,) = TimeSteps(("bcm_threshold",)).checks({"bcm_threshold": measured(shift)})
    assert check.holds == holds and "Holm p" in str(check.ours)
    for row in changes(BCM, measured(shift)):
        assert (row["low"] <= 0 <= row["high"]) == holds
        assert row["difference"] == pytest.approx(shift, abs=0.2)


def test_what_is_the_same_in_all_runs_is_left_out():
    same = np.full((2, len(BCM.measures), 4), 3.0)
    assert {row["left_out"] for row in changes(BCM, same)} == {"the same in all runs"}
    assert list(TimeSteps(("bcm_threshold",)).checks({"bcm_threshold": same})) == []


def test_a_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    kept = measured(0.0, seeds=3)
    write_npz(tmp_path / "bcm_threshold.npz", {"bcm_threshold": kept})
    monkeypatch.setattr(BCM, "collect", lambda self, session: pytest.fail("it was finished already"))
    found = TimeSteps(("bcm_threshold",)).collect(Session([0, 1, 2], folder=tmp_path))
    np.testing.assert_array_equal(found["bcm_threshold"], kept)


def test_the_steps_are_those_of_the_experiment_and_half_of_them(monkeypatch):
    seen = []
    monkeypatch.setattr(BCM, "collect", lambda self, session: seen.append((self.dt_ms, session.seeds[0])) or {})
    monkeypatch.setattr(BCM, "numbers", lambda self, a: {})
    found = TimeSteps(("bcm_threshold",)).collect(Session([4, 5]))
    assert sorted(seen) == [(0.125, 4), (0.125, 5), (0.25, 4), (0.25, 5)]
    assert np.isnan(found["bcm_threshold"]).all()


def test_what_follows_from_how_many_spikes_share_a_step_is_shown_and_not_held_to_be_the_same():
    apart = np.array([[[1.0] * 3] * 7, [[2.0] * 3] * 7]) + np.arange(3) / 100 * np.array([1, 2])[:, None, None]
    rows = {row["measure"]: row for row in changes(PatternDetection, apart)}
    assert [name for name, row in rows.items() if row["holm"] is not None] == ["hits", "hits_all"]
    assert all("found sooner" in row["left_out"] for row in rows.values() if row["holm"] is None)
    (check,) = TimeSteps(("pattern_detection",)).checks({"pattern_detection": apart})
    assert not check.holds and "the smallest of 2 measures" in check.ours


def test_an_experiment_without_a_time_step_is_refused():
    with pytest.raises(WrongUse, match="experiment with a time step 'identities'"):
        TimeSteps(("identities",)).refuse()
    assert "attention_gain" in [kind.name for kind in stepped()]
