"""curate's stages inside the pipelines of other tools: one module a tool, none imported by curate itself."""
