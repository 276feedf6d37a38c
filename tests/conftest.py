"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# A continuous integration run says the same of the same commit; other runs look for new examples.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
