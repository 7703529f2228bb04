"""The queries of the alerts fire for what they are meant for, and for nothing else."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.queries.played import Own, Played
from tests.queries.to_come import DELIVERIES, answering_failing, deliveries_of
from tests.simulator.report.lines import LogLine
from tests.simulator.report.queries import QUERIES, Traces, read_queries

ALERTS = read_queries(QUERIES / "alerts")

type Change = Callable[[list[LogLine]], list[LogLine]]


class Case(NamedTuple):
    """An alert: lines that leave it silent, lines for which it fires, what it finds."""

    name: str
    silent: Change
    fires: Change
    found: Callable[[Own], dict[str, object]]


def as_played(lines: list[LogLine]) -> list[LogLine]:
    return lines


def times(number: int, pattern: str) -> Change:
    """Return the lines that match ``number`` times, and the others once."""
    return lambda lines: lines + only(pattern)(lines) * (number - 1)


def only(pattern: str) -> Change:
    """Return the lines that match."""
    return lambda lines: [line for line in lines if re.search(pattern, line.text)]


def taking(milliseconds: float) -> Change:
    """Let every request take so long."""
    took = f'"duration_ms":{milliseconds}'

    def change(lines: list[LogLine]) -> list[LogLine]:
        texts = [re.sub(r'"duration_ms":[\d.]+', took, line.text) for line in lines]
        pairs = zip(lines, texts, strict=True)
        return [line._replace(text=text) for line, text in pairs]

    return change


def delivering(lines: list[LogLine]) -> list[LogLine]:
    return [*lines, *deliveries_of(lines)]


def unable_to_answer(lines: list[LogLine]) -> list[LogLine]:
    return [*lines, answering_failing(lines)]


def _refused(_own: Own) -> dict[str, object]:
    return {"everything": 12, "refused": 12}


def _unanswered(own: Own) -> dict[str, object]:
    reasons = ("answer-refused", "answer-unavailable", "credential-refused")
    recordings = sum(own.outcomes[region, "rejected"] for region in ("weu", "sea"))
    return {"unanswered": sum(own.failures[r] for r in reasons) + recordings}


def _answers(own: Own) -> dict[str, object]:
    taken = sum(n for (_, outcome), n in own.outcomes.items() if outcome != "lost")
    # One is answered after its handler has failed, which is another reason.
    return {"answers": taken - 1, "p95_ms": 3100.0}


def _ends(own: Own) -> dict[str, object]:
    rejected = sum(own.outcomes[region, "rejected"] for region in ("weu", "sea"))
    badly = sum(n for (code, _), n in own.ends.items() if (code or 0) >= 400)
    return {"ended": own.ends.total() + rejected, "badly": badly}


def _failed_deliveries(_own: Own) -> dict[str, object]:
    failed = ("delivery-unavailable", "delivery-refused")
    return {"failed": sum(one.times for one in DELIVERIES if one.reason in failed)}


_SIGNED = '"(audience-refused|token-expired)"'
CASES = (
    Case("failing", as_played, times(3, '"status":503'), lambda _own: {"failed": 9}),
    Case("refused", as_played, lambda lines: only(_SIGNED)(lines) * 4, _refused),
    Case("unanswered", only('"reason":"answered"'), as_played, _unanswered),
    Case(
        "redirect-suppressed",
        only('"follow-up"'),
        as_played,
        lambda own: {"suppressed": own.notes["redirect-suppressed"]},
    ),
    Case("slow-answers", taking(2900.0), taking(3100.0), _answers),
    Case("calls-ending-badly", only('"result_code":(0|200)'), as_played, _ends),
    Case("deliveries-failing", as_played, delivering, _failed_deliveries),
    Case(
        "partition-silent",
        as_played,
        delivering,
        lambda _own: {"partition": "media-b", "deliveries": 7, "delivered": 0},
    ),
    Case("answering-failing", as_played, unable_to_answer, lambda _: {"failing": 1}),
    Case("bot-certificate", only("handled"), as_played, lambda _own: {"notices": 1}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_alert_fires_for_what_it_is_for(case: Case, played: Played) -> None:
    text = ALERTS[case.name].text
    with Traces(case.silent(played.lines)) as traces:
        assert traces.ask(text).rows == []
    with Traces(case.fires(played.lines)) as traces:
        assert traces.ask(text).members == [case.found(played.own)]


def test_strangers_set_off_no_alert(played: Played) -> None:
    """However many come, and whatever they are refused for."""
    reasons = {"signature-invalid", "token-malformed", "body-too-large"}
    forged = only('"signature-invalid"')(played.lines)
    flood = [
        line._replace(text=line.text.replace("signature-invalid", reason))
        for line in forged * 50
        for reason in reasons
    ]
    with Traces(flood) as traces:
        for alert in ALERTS.values():
            assert traces.ask(alert.text).rows == [], alert.name


def test_every_alert_has_a_case() -> None:
    assert {case.name for case in CASES} == ALERTS.keys()
