"""`python -m foldin` is `foldin`."""

from foldin.cli.app import main

main()
