"""The network of Diehl & Cook by other means, each a program of its own: what `plasticity run bench` measures against.

Each reads one file (images in hertz, weights, thresholds, as the bench saved them), shows the images one after the other with
learning on, and prints one line of JSON: seconds of the loop alone, spikes, version.

`nest_rules` is another thing: it prints the numbers by NEST that checks are held to.
"""
