"""``python -m atrium`` is the ``atrium`` command."""

from atrium.cli import main

if __name__ == "__main__":
    main(prog_name="atrium")
