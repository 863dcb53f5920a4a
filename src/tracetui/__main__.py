"""`python -m tracetui` is the same as `tracetui`."""

from tracetui.cli.start import main

if __name__ == "__main__":
    main()
