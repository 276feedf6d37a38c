"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# A continuous integration run says the same of the same commit; other runs look for new examples. How long an example
# takes depends on what else the machine does, so no test fails by it.
settings.register_profile("curate", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("curate")
