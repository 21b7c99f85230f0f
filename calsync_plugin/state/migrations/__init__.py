"""Alembic's scripts, kept in the package so that a wheel carries them."""
