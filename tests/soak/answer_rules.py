"""Whoever is invited answers, in Outlook or in the CRM (R3, R7).

Decides how long an answer is known: until the time changes, people come or go, or it is another event.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.soak.drawn import PICK
from tests.soak.sides import USERS
from tests.soak.stage import Stage
from tests.soak.things import MODES, Meet

SAYS = {"accept": ("Accepted", "accepted"), "tentativelyAccept": ("Tentative", "tentativelyAccepted")}
"""What an answer is called in the CRM and in Outlook, by what is asked of Graph."""
ANSWERS = st.sampled_from(sorted(SAYS))


class AnswerRules(Stage):
    """Answers reach the other side, and stay."""

    @precondition(lambda self: not self.pending and self.any(self.answered_in_outlook))
    @rule(pick=PICK, who=PICK, how=ANSWERS)
    def answer_in_outlook(self, pick: int, who: int, how: str) -> None:
        meet = self.pick(pick, self.answered_in_outlook)
        names = self.answered_in_outlook(meet)
        name = names[who % len(names)]
        if self._new(meet, name, how):
            self.in_outlook(lambda: self.hands.answer_in_outlook(name, meet.tag, how))
            self._answered(meet, name, how, "in Outlook:")

    @precondition(lambda self: not self.pending and self.any(self.answered_in_crm))
    @rule(pick=PICK, who=PICK, how=ANSWERS)
    def answer_in_crm(self, pick: int, who: int, how: str) -> None:
        meet = self.pick(pick, self.answered_in_crm)
        names = self.answered_in_crm(meet)
        name = names[who % len(names)]
        if self._new(meet, name, how):
            assert meet.event is not None
            assert meet.record is not None
            self.hands.answer_in_crm(name, meet.kind, meet.record_id, SAYS[how][0])
            meet.record.put(self.now())
            self.model.mails["response", meet.event.host, meet.tag] += 1
            self._answered(meet, name, how, "in the CRM:")

    def answered_in_crm(self, meet: Meet) -> list[str]:
        """Who may answer in the CRM, so that it reaches the own mailbox."""
        record, event = meet.record, meet.event
        if record is None or event is None or meet.link != "active":
            return []
        if event.span.over(self.now()) or record.span.over(self.now()):
            return []
        invited = event.copies & event.guests & record.people & meet.joined
        return sorted(name for name in invited & self.model.accounts.keys() if self._in_both_ways(name))

    def answered_in_outlook(self, meet: Meet) -> list[str]:
        """Who may answer in Outlook, so that it reaches the record: by the own copy, or by the home's."""
        if not self._in_both_ways(meet.home) or meet.event is None or meet.record is None:
            return []
        own = self.answered_in_crm(meet)
        told = meet.link == "active" and meet.event.host == meet.home
        others = meet.event.copies & meet.event.guests & meet.record.people & {"carol"}
        over = meet.event.span.over(self.now())
        return own + sorted(others if told and not over else ())

    def rested(self) -> None:
        """What was answered is so on both sides."""
        super().rested()
        wrong = []
        for meet in self.model.meets:
            for name, how in meet.answers.items() if meet.record else ():
                in_crm, in_outlook = SAYS[how]
                said = self.hands.said_in_crm(name, meet.kind, meet.record_id)
                if said != in_crm:
                    wrong.append(f"{meet.tag} answer of {name} in the CRM: {said}, expected {in_crm}")
                copies = meet.event.copies if meet.event else frozenset()
                said = self.hands.said_in_outlook(name, meet.tag) if name in copies else in_outlook
                if said != in_outlook:
                    wrong.append(f"{meet.tag} answer of {name} in Outlook: {said}, expected {in_outlook}")
        assert not wrong, "\n".join([*self.story, *wrong])

    def _in_both_ways(self, name: str) -> bool:
        account = self.model.accounts.get(name)
        return account is not None and account.status == "connected" and account.ways == MODES["both"]

    def _new(self, meet: Meet, name: str, how: str) -> bool:
        """Whether neither side says so already."""
        in_crm, in_outlook = SAYS[how]
        assert name in USERS
        return (
            self.hands.said_in_crm(name, meet.kind, meet.record_id) != in_crm
            and self.hands.said_in_outlook(name, meet.tag) != in_outlook
        )

    def _answered(self, meet: Meet, name: str, how: str, where: str) -> None:
        meet.answers[name] = how
        self.did(meet, where, name, how)
        self.come_to_rest()
