"""Subjects <-> names of records: what EspoCRM's `name` cannot hold is written in another way and read back.

Decides the look-alikes, so that a fingerprint sees no difference between the two sides. EspoCRM 9.2.7,
measured: a name is required, has 255 characters at most and none of `<`, `>`, `=`; it is trimmed. Other lines
of text have the same length.
"""

from __future__ import annotations

from calsync_plugin.domain.meeting import fold_line

NAME_LENGTH = 255
# In brackets of the same small form, for "(no subject)" can be somebody's own text. Who writes this very text
# as a name means the same by it: it is read as no subject.
NO_SUBJECT = "\ufe59no subject\ufe5a"

# Unicode's small form variants: they look like the originals, survive composition (NFC) and hardly anybody
# types them, so that reading them back changes nobody's own text.
_LOOK_ALIKES = str.maketrans({"<": "\ufe64", ">": "\ufe65", "=": "\ufe66"})
_ORIGINALS = str.maketrans({"\ufe64": "<", "\ufe65": ">", "\ufe66": "="})


def read_name(value: object) -> str:
    """Subject that a record's name stands for, folded to one line."""
    name = fold_line(value) if isinstance(value, str) else ""
    return "" if name == NO_SUBJECT else name.translate(_ORIGINALS)


def write_name(subject: str) -> str:
    """Name that stands for a subject; cut with an ellipsis if it is too long."""
    return cut_line(subject).translate(_LOOK_ALIKES) or NO_SUBJECT


def cut_line(text: str) -> str:
    """One line that fits EspoCRM's `varchar`, with an ellipsis if it was too long."""
    line = fold_line(text)
    return line if len(line) <= NAME_LENGTH else line[: NAME_LENGTH - 1].rstrip() + "…"
