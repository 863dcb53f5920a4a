"""tracetui: traces of LLM agents in a terminal, and the learning loop around them."""

__version__ = "0.1.0"
