"""Any gateway: the walk through what was modified, and what a simple one need not answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calsync_plugin.crm.gateway import (
    CrmGateway,
    Found,
    ModifiedPage,
    ModifiedRecord,
    PersonCard,
    SimpleGateway,
    modified_records,
)
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.errors import CalsyncError, Refused

MOMENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Sweepable(SimpleGateway):
    """Records by modification; `saves` happen after the page of that number."""

    def __init__(self, moments: dict[str, int], saves: dict[int, dict[str, int]] | None = None) -> None:
        self.moments, self.saves, self.pages = moments, saves or {}, 0

    def modified_since(
        self, entity_type: str, moment: datetime, *, limit: int = 200, offset: int = 0
    ) -> ModifiedPage:
        lines = sorted((at, i) for i, at in self.moments.items() if MOMENT + timedelta(seconds=at) >= moment)
        page = lines[offset : offset + limit]
        self.pages += 1
        self.moments.update(self.saves.get(self.pages, {}))
        return ModifiedPage(
            tuple(ModifiedRecord(i, MOMENT + timedelta(seconds=at), "u1") for at, i in page),
            more=len(lines) > offset + limit,
        )

    def load(self, entity_type: str, ids: object) -> dict[str, Found]:
        raise NotImplementedError

    def people(self, kind: PersonKind, ids: object) -> dict[str, PersonCard]:
        raise NotImplementedError

    def update(
        self, entity_type: str, record_id: str, attributes: object, *, version: int | None = None
    ) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("moments", "saves", "expected"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({"a": 1, "b": 2}, {}, ["a", "b"], id="one page"),
        pytest.param({i: n for n, i in enumerate("abcdefg")}, {}, list("abcdefg"), id="pages"),
        pytest.param(dict.fromkeys("abcdefg", 5), {}, list("abcdefg"), id="all in one second"),
        pytest.param(
            {"a": 1, "b": 1, "c": 1, "d": 1, "e": 2}, {}, list("abcde"), id="a full second, then more"
        ),
        pytest.param(
            {i: n for n, i in enumerate("abcdef")},
            {1: {"a": 50, "b": 51}},
            list("abcdefab"),
            id="saved on the way",
        ),
    ],
)
def test_the_sweep_misses_nobody(
    moments: dict[str, int], saves: dict[int, dict[str, int]], expected: list[str]
) -> None:
    gateway: CrmGateway = Sweepable(dict(moments), saves)

    assert [r.id for r in modified_records(gateway, "Meeting", MOMENT, limit=3)] == expected


def test_a_sweep_that_never_ends_is_ended() -> None:
    class Endless(Sweepable):
        def modified_since(self, *_: object, **__: object) -> ModifiedPage:
            return ModifiedPage((), more=True)

    with pytest.raises(CalsyncError, match="says that there are more"):
        list(modified_records(Endless({}), "Meeting", MOMENT))


def test_the_simple_gateway_answers_what_is_optional() -> None:
    gateway = SimpleGateway()

    assert gateway.people_by_address(["a@b.example"]) == {}
    assert gateway.modified_since("Meeting", MOMENT) == ModifiedPage(())
    assert gateway.find_by_marker("Meeting", "x", "y") is None
    assert gateway.find_created("Meeting", {}, MOMENT) is None
    assert gateway.find_by_uid("Meeting", ["x"]) == {}
    assert list(gateway.records_of("Meeting", "u1", MOMENT, MOMENT)) == []
    assert gateway.now().tzinfo is UTC


def test_the_simple_gateway_refuses_what_it_cannot() -> None:
    with pytest.raises(Refused, match="implement it"):
        SimpleGateway().create("Meeting", {})
    with pytest.raises(Refused, match="implement it"):
        SimpleGateway().create_contact("a@b.example", "A")
    with pytest.raises(Refused, match="Meeting 1"):
        SimpleGateway().delete("Meeting", "1")
