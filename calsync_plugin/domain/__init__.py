"""The pure core: decides everything, does nothing. Standard library only, no I/O, no clock."""
