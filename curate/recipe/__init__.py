"""What a run is to do: read from YAML, checked in full, with every default filled in."""

from curate.recipe.load import load_recipe
from curate.recipe.models import Recipe, Source, Stage

__all__ = ["Recipe", "Source", "Stage", "load_recipe"]
