"""The engine: carries marks to mailboxes, runs each mailbox, and carries out what the planner decided."""
