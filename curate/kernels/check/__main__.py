import sys

from curate.kernels.check.command import main

sys.exit(main())
