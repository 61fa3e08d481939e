"""One page of HTML about a folder that `compare`, `run` or `sweep` wrote, for people who were not there.

It is made from the records in the folder, and from what the code says of the things that they name: the same records give the
same bytes. It needs no other file, no script and no network. `html` has the blocks of which a page is made, `common` what is said
of every run, and `comparison`, `experiment` and `sweep` have the sections of each kind of result (`simulations.frame.results`).
"""
