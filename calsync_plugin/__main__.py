"""`python -m calsync_plugin` is the command `calsync`."""

from calsync_plugin.cli import main

main()
