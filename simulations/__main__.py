"""`python -m simulations` is the program `plasticity`."""

from simulations.command_line import main

main()
