"""Distal reward: a reward that comes seconds late finds its synapse; and when a reward needs an expectation.

Three experiments under one name, with one record:

    late_reward          1000 neurons, 80,000 plastic synapses, one of which earns the rewards
    one_trial            one pair and one reward against the closed form
    reward_expectation   four reward signals, with and without a constant, with and without an expectation

Sources: Izhikevich 2007, doi:10.1093/cercor/bhl152; Fremaux, Sprekeler & Gerstner 2010, doi:10.1523/JNEUROSCI.6249-09.2010.
"""

from __future__ import annotations

from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.late_reward import IZHIKEVICH, LateReward
from simulations.one_trial import OneTrial
from simulations.reward_expectation import RewardExpectationTask

DistalRewardSuite = suite(
    "DistalRewardSuite",
    [LateReward, OneTrial, RewardExpectationTask],
    __doc__ or "",
    name="distal_reward",
    summary="a reward that comes seconds late finds its synapse; and when a reward needs an expectation",
    source=IZHIKEVICH,
)

if __name__ == "__main__":
    script(DistalRewardSuite.name)
