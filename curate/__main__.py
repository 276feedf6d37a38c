"""`python -m curate`: the command line."""

from curate.cli import main

main()
