"""Runs a program with the system calls that a unit of systemd leaves it: `confined.py UNIT PROGRAM ...`.

Decides nothing: which calls there are comes from the unit and from `systemd-analyze`. Does for itself what
systemd does at a start, so that a filter is tried where no systemd runs: SystemCallFilter,
RestrictAddressFamilies, MemoryDenyWriteExecute and NoNewPrivileges. What needs a mount or a namespace of its
own is left out.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
EQUAL = 4
"""SCMP_ACT_ALLOW, SCMP_ACT_ERRNO and SCMP_CMP_EQ (seccomp.h)."""
NO_NEW_PRIVILEGES, SET_MDWE = 38, 65
"""PR_SET_NO_NEW_PRIVS and PR_SET_MDWE (linux/prctl.h)."""
EPERM = 1


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def values(unit: str, name: str) -> list[str]:
    """All values of one setting in the text of a unit, in order."""
    found = (line.partition("=") for line in unit.splitlines() if not line.startswith(("#", ";")))
    return [value.strip() for key, _, value in found if key.strip() == name]


def allowed_calls(unit: str) -> set[str]:
    """The names that SystemCallFilter leaves: a list allows, one that begins with ~ takes away."""
    sets = dict(_call_sets())
    left = set[str]()
    for value in values(unit, "SystemCallFilter"):
        named = set[str]().union(*(_resolved(name, sets) for name in value.removeprefix("~").split()))
        left = left - named if value.startswith("~") else left | named
    return left


def _call_sets() -> Iterator[tuple[str, list[str]]]:
    """What `systemd-analyze syscall-filter` prints: a name at the margin, a comment and members indented."""
    asked = ("systemd-analyze", "--no-pager", "syscall-filter")
    printed = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    for block in printed.split("\n\n"):
        lines = [line.strip() for line in block.strip().splitlines()]
        if lines and lines[0].startswith("@"):
            yield lines[0], [line for line in lines[1:] if line and not line.startswith("#")]


def _resolved(name: str, sets: dict[str, list[str]]) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return set[str]().union(*(_resolved(member, sets) for member in sets[name]))


def confine(unit: str) -> None:
    """Take from this process what the unit takes from its service."""
    system = ctypes.CDLL(None, use_errno=True)
    _done(system.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    if values(unit, "MemoryDenyWriteExecute") == ["yes"]:
        _done(system.prctl(SET_MDWE, 1, 0, 0, 0))
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | EPERM)))
    families = [getattr(socket, name) for name in values(unit, "RestrictAddressFamilies")[0].split()]
    for name in sorted(allowed_calls(unit)):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            continue  # not a call of this machine
        rules = [Comparison(0, EQUAL, family, 0) for family in families] if name == "socket" else []
        for rule in rules:
            _done(
                seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, 1, ctypes.byref(rule))
            )
        if not rules:
            _done(seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, 0, None))
    _done(seccomp.seccomp_load(context))


def _done(result: int) -> None:
    if result < 0:
        raise OSError(-result if result != -1 else ctypes.get_errno(), "the kernel refuses it")


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.execvp(sys.argv[2], sys.argv[2:])
