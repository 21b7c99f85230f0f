"""Who books: named the same by pages and by the API, so that whoever booked by one finds it by the other.

Decides how a booking names them. A user of the CRM can never be named like a program.
"""

from __future__ import annotations


def booked_by(user_id: str) -> str:
    """How a booking names a user of the CRM; the API token of the configuration is no user."""
    return f"user {user_id}" if user_id else "API token"
