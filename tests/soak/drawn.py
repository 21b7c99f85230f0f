"""What is drawn by chance."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.soak.sides import CONTENT

PICK = st.integers(0, 30)
KINDS = st.sampled_from(["Meeting", "Call", "Visit"])
WORDS = st.sampled_from(["red", "green", "blue", "grey"])
SYNCED = st.sampled_from(["alice", "bob"])
HOSTS = st.sampled_from(["alice", "bob", "carol", "eve"])
ANYBODY = st.sampled_from(["alice", "bob", "carol"])
PEOPLE = st.frozensets(st.sampled_from(["alice", "bob", "carol", "dave", "erin"]), max_size=3)
GUESTS = st.frozensets(st.sampled_from(["alice", "bob", "carol", "dave", "erin", "zoe"]), max_size=3)
WHEN = st.tuples(st.integers(1, 20), st.integers(8, 17), st.booleans())
FIELDS = st.sampled_from([*CONTENT, "people"])
TOLD = st.booleans()
"""Whether the hook is called; else the sweep has to find out."""
MOST = 8
"""Meetings of one history."""
