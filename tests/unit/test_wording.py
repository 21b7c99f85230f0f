"""Sentences that can be said in other languages are English texts to everybody else."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date

import pytest

from calsync_plugin.errors import UserError
from calsync_plugin.wording import Wording, gettext, ngettext, pgettext


@pytest.mark.parametrize(
    ("wording", "english"),
    [
        pytest.param(gettext("never"), "never", id="plain"),
        pytest.param(gettext("100 % of it"), "100 % of it", id="percent"),
        pytest.param(gettext("by %(who)s", who="<b>%(x)s"), "by <b>%(x)s", id="value-as-it-is"),
        pytest.param(gettext("from %(day)s on", day=date(2026, 1, 5)), "from 5 January 2026 on", id="day"),
        pytest.param(gettext("in %(all)s", all=("a", gettext("b"))), "in a, b", id="list"),
        pytest.param(gettext("so: %(why)s", why=gettext("%(n)s left", n=2)), "so: 2 left", id="wording"),
        pytest.param(ngettext("%(num)s day", "%(num)s days", 1), "1 day", id="one"),
        pytest.param(ngettext("%(num)s day", "%(num)s days", 0), "0 days", id="none"),
        pytest.param(pgettext("kind of record", "Call"), "Call", id="context"),
    ],
)
def test_it_is_english(wording: Wording, english: str) -> None:
    assert wording == english
    assert json.dumps(wording) == json.dumps(english)
    assert str(UserError(wording)) == english


def test_it_remembers_what_it_is_made_of_even_as_a_copy() -> None:
    wording = ngettext("%(num)s day of %(who)s", "%(num)s days of %(who)s", 3, who="alice")
    for one in (wording, copy.deepcopy(wording), pickle.loads(pickle.dumps(wording))):
        assert one == "3 days of alice"
        assert (one.message, one.plural, one.number) == (
            "%(num)s day of %(who)s",
            "%(num)s days of %(who)s",
            3,
        )
        assert one.values == {"num": 3, "who": "alice"}
