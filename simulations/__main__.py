"""`python -m simulations` is the program `plasticity`."""

from simulations.cli import main

main()
