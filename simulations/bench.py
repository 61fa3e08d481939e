"""How fast is it, and how does it grow? The network of Diehl & Cook here and by other means, in one sitting on one machine.

    plasticity bench                hand-written loop, plain Brian2, second start, seeds side by side, growth
    plasticity bench --peers        also BindsNET and NEST, each installed into an environment of its own in the cache

Two experiments under one name, with one record:

    network_time     time of an image beside other programs, of a second start, of seeds side by side
    network_growth   time and memory against neurons and images

Every program shows the same images (MNIST where it is there, else scikit-learn's scans enlarged to 28x28), one after the other
with learning on, from the same trained weights and thresholds (`warm` images of training by the network itself). Only the loop is
timed; setup and compilation are told apart. Best of `repeats`, one thread each, while nothing else of the bench runs. The record
says versions, compiler and processor.
"""

from __future__ import annotations

from typing import Any

from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.network_growth import NetworkGrowth
from simulations.network_time import BARS, SOURCE, NetworkTime

Bench = suite(
    "Bench",
    [NetworkTime, NetworkGrowth],
    __doc__ or "",
    name="bench",
    summary="time and memory of the Diehl & Cook network against a hand-written loop, Brian2, BindsNET and NEST",
    source=SOURCE,
    default_seeds=1,
    published=False,
)


def markdown(numbers: dict[str, Any]) -> str:
    """The measured ratios to others as a table for the README."""
    lines = ["| measure | theirs | ours | theirs / ours | wanted at least, aim |", "|---|---|---|---|---|"]
    for row in numbers["rows"]:
        if row["unit"] == "s":  # this library against itself
            continue
        bar, aim = BARS.get(row["measure"], (None, None))
        wanted = "-" if bar is None else f"{bar:.3g}" + (f", {aim:.3g}" if aim else "")
        unit, ratio = row["unit"], row["peer"] / row["ours"]
        lines.append(f"| {row['measure']} | {row['peer']:.3g} {unit} | {row['ours']:.3g} {unit} | {ratio:.3g} | {wanted} |")
    return "\n".join(lines)


if __name__ == "__main__":
    script(Bench.name)
