"""The explorer in the terminal. The only package that imports textual."""
