"""``python -m pymlm``."""

from pymlm.cli import main

main()
