"""The queries of the alerts fire for what they are meant for, and for nothing else."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.queries.played import Own, Played
from tests.simulator.report.lines import LogLine
from tests.simulator.report.queries import QUERIES, Traces, read_queries

ALERTS = read_queries(QUERIES / "alerts")

type Choose = Callable[[Played], list[LogLine]]


class Case(NamedTuple):
    """An alert: lines that leave it silent, lines for which it fires, what it finds."""

    name: str
    silent: Choose
    fires: Choose
    found: Callable[[Own], dict[str, object]]


def as_played(played: Played) -> list[LogLine]:
    return played.lines


def times(number: int, pattern: str) -> Choose:
    """Return the lines that match ``number`` times, and the others once."""
    return lambda played: played.lines + only(pattern)(played) * (number - 1)


def only(pattern: str) -> Choose:
    """Return the lines that match."""
    return lambda played: [
        line for line in played.lines if re.search(pattern, line.text)
    ]


def taking(milliseconds: float) -> Choose:
    """Let every request take so long."""
    took = f'"duration_ms":{milliseconds}'

    def choose(played: Played) -> list[LogLine]:
        return [
            line._replace(text=re.sub(r'"duration_ms":[\d.]+', took, line.text))
            for line in played.lines
        ]

    return choose


def delivering(played: Played) -> list[LogLine]:
    return played.lines + played.deliveries


def unable_to_answer(played: Played) -> list[LogLine]:
    return played.lines + played.failing


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


def _failed_deliveries(own: Own) -> dict[str, object]:
    failed = {"delivery-unavailable", "delivery-refused"}
    return {"failed": sum(n for (_, r), n in own.deliveries.items() if r in failed)}


def _silent_partition(own: Own) -> dict[str, object]:
    deliveries = sum(n for (name, _), n in own.deliveries.items() if name == "media-b")
    return {"partition": "media-b", "deliveries": deliveries, "delivered": 0}


_SIGNED = '"(audience-refused|token-expired)"'
CASES = (
    Case("failing", as_played, times(3, '"status":503'), lambda _own: {"failed": 9}),
    Case("refused", as_played, lambda played: only(_SIGNED)(played) * 4, _refused),
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
    Case("partition-silent", as_played, delivering, _silent_partition),
    Case("answering-failing", as_played, unable_to_answer, lambda _: {"failing": 1}),
    Case("bot-certificate", only("handled"), as_played, lambda _own: {"notices": 1}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_alert_fires_for_what_it_is_for(case: Case, played: Played) -> None:
    text = ALERTS[case.name].text
    with Traces(case.silent(played)) as traces:
        assert traces.ask(text).rows == []
    with Traces(case.fires(played)) as traces:
        assert traces.ask(text).members == [case.found(played.own)]


def test_strangers_set_off_no_alert(played: Played) -> None:
    """However many come, and whatever they are refused for."""
    reasons = {"signature-invalid", "token-malformed", "body-too-large"}
    forged = only('"signature-invalid"')(played)
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
