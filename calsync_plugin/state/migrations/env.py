"""Runs the migrations on the connection that `migrate` hands over. Alembic loads this file by path."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
