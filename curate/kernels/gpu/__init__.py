"""The text kernels on a GPU, with the bits of the CPU's: the same headers, compiled at run time through CuPy."""
