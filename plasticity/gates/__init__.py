"""Gates by name: attention as gains, and its controls. A new gate is one file and one import line here."""

# ruff: noqa: F401  (importing a gate registers it)

# The order of the list: no attention, attention, its controls, another kind.
# isort: off
from plasticity.gates.gate import Gate, NoGate
from plasticity.gates.input_gain import InputGain
from plasticity.gates.shuffled_gate import ShuffledGate
from plasticity.gates.equal_gain import EqualGain
from plasticity.gates.learning_gate import LearningGate

# isort: on
from plasticity.registry import Registry

GATES: Registry[type[Gate]] = Registry(
    "gate", [value for value in list(globals().values()) if isinstance(value, type) and issubclass(value, Gate)], of=Gate
)
Gate.known = GATES
