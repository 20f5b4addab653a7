"""`python -m foldin` is `foldin`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; Ctrl-C ends it quietly with 130, also while it is still being imported."""
    try:
        from foldin.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
