"""Widgets: one module each. They talk upward by messages, screens call downward."""
