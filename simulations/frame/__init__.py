"""The frame of an experiment: what it is, how it is run into a folder, swept, read back, cited and tabled."""
