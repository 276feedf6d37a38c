"""Checks the GPU's kernels on a GPU machine: first their bits, then their speed.

    python -P -m curate.kernels.check --output result.json

Every kernel runs over generated text (1 GB by default) and must give the CPU's bits. Then each is timed by CUDA events
after a warm-up, beside the card's own copy bandwidth, and beside cudf's minhash where cudf is installed. Needs CuPy,
NumPy, pyarrow and this package built by a C++ compiler; no model, data or network. Without -P a checkout in the
current folder would hide the package that was built from it.
"""
