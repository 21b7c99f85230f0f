"""Subjects that EspoCRM's names cannot hold: written in another way, restored, never sent to and fro."""

from __future__ import annotations

import pytest

from tests.world import ALICE, World

SUBJECTS = [
    pytest.param("Offer < 100 = less & more > 50", "Offer ﹤ 100 ﹦ less & more ﹥ 50", id="signs"),
    pytest.param("x" * 300, "x" * 254 + "…", id="long"),
    pytest.param("<" * 300, "﹤" * 254 + "…", id="long-signs"),
    pytest.param("\U0001f389" * 127, "\U0001f389" * 127, id="emoji"),
    pytest.param("", "﹙no subject﹚", id="none"),
    pytest.param("   ", "﹙no subject﹚", id="spaces"),
]


@pytest.mark.parametrize(("subject", "name"), SUBJECTS)
def test_a_subject_keeps_its_own_words_in_outlook(world: World, subject: str, name: str) -> None:
    world.choose(ALICE, description_both_ways=True)
    event = world.outlook_create(ALICE, subject=subject, body="One")
    world.pull()
    record = world.only_record()
    assert record["name"] == name
    before = world.event(ALICE).subject
    world.quiet()

    world.change(record["id"], description="Two")
    world.settle()
    assert (world.event(ALICE).subject, world.event(ALICE).bodyPreview.strip()) == (before, "Two")
    world.outlook_patch(ALICE, event, body="Three")
    world.pull()
    assert (world.only_record()["name"], world.event(ALICE).subject) == (name, before)
    world.quiet()

    world.change(record["id"], name="Renamed in the CRM")
    world.settle()
    assert world.event(ALICE).subject == "Renamed in the CRM"
    world.outlook_patch(ALICE, event, subject=subject)
    world.pull()
    assert world.only_record()["name"] == name
    world.quiet()


@pytest.mark.parametrize(("subject", "name"), SUBJECTS)
def test_an_edit_of_both_sides_never_brings_the_shortened_words_into_outlook(
    world: World, subject: str, name: str
) -> None:
    """The record is written and its answer lost: what it holds then is no edit of the CRM's."""
    world.choose(ALICE, clash="crm")
    event = world.outlook_create(ALICE, subject="Plain")
    world.pull()
    world.crm_fails(method="PUT", path="/Meeting/", drop_after_commit=True)
    world.outlook_patch(ALICE, event, subject=subject)
    before = world.event(ALICE).subject
    world.pull()
    world.clock.advance(600.0)
    world.settle()

    assert world.only_record()["name"] == name
    assert world.event(ALICE).subject == before
    assert world.app.store.log.clashes(ALICE) == []
    world.quiet()
