"""Callers who follow scripts: what each heard, and what the log says of the call."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tests.simulator.caller.call import BotCall, ScriptError
from tests.simulator.caller.stories import BotStory
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.platform.conversation import CallPlan, Conversation
from tests.simulator.platform.events import StepStarted
from tests.simulator.platform.media import name_of
from tests.simulator.platform.wire import Wire
from tests.simulator.services.call_control import CallRequest

AT_ONCE = 6
_LOGGED_SECONDS = 0.5


class Script(NamedTuple):
    """A call to place: from where, what the caller does and hears, and on what wire."""

    caller: str
    story: BotStory
    wire: Wire


class Moment(NamedTuple):
    """When something happened first, and what."""

    seconds: float
    what: str


class ToldCall(NamedTuple):
    """How a call went.

    Attributes:
        wrong: what went otherwise than its script says; empty: nothing.
        heard: how many prompts the caller heard.
        twice: what the caller heard twice, or the bot asked for without a new event.
        errors: of its notifications that got no reply.
        notes: codes that the log noted about it.
    """

    call_id: str
    region: str | None
    wrong: str
    heard: int
    twice: list[str]
    errors: set[str]
    notes: set[str]


def follow(run: ScenarioRun, scripts: Sequence[Script]) -> list[ToldCall]:
    """Place calls, some at a time, and follow their scripts to the end."""
    with _watching(run) as asked, ThreadPoolExecutor(AT_ONCE, "caller") as callers:
        played = list(callers.map(lambda script: _play(run, script), scripts))
    # A region's last line may come after its reply.
    run.let_pass(_LOGGED_SECONDS)
    causes, notes = _causes_by_call(run), _notes_by_call(run)
    return [
        _told(conversation, wrong, asked, causes, notes)
        for conversation, wrong in played
    ]


def heard_twice(heard: Sequence[str], controls: Iterable[CallRequest]) -> list[str]:
    """Return the prompts that were heard oftener than turns of the bot asked for.

    A turn is a ``clientContext``. A repeated event may make the bot ask again, but
    nobody must hear it.
    """
    turns: defaultdict[str, set[str]] = defaultdict(set)
    for asked in controls:
        if asked.control == "playPrompt":
            for prompt in asked.body["prompts"]:
                name = name_of(prompt["mediaInfo"]["uri"])
                turns[name].add(str(asked.body.get("clientContext")))
    return [name for name in turns if heard.count(name) > len(turns[name])]


def without_cause(asked: Sequence[Moment], causes: Sequence[Moment]) -> list[str]:
    """Return the turns for which nothing new had happened since the turn before.

    Each turn needs an event of its own: an event that is handled twice makes one more.
    """
    first: dict[str, float] = {}
    for moment in asked:
        first.setdefault(moment.what, moment.seconds)
    return [
        f"turn {turn}"
        for number, (turn, seconds) in enumerate(first.items(), start=1)
        if sum(cause.seconds <= seconds for cause in causes) < number
    ]


def expect_as_told(run: ScenarioRun, calls: Sequence[ToldCall], what: str) -> None:
    """Expect that every caller heard each prompt once and in order."""
    wrong = [call for call in calls if call.wrong]
    found = f"{len(calls) - len(wrong)} of {len(calls)}"
    if wrong:
        found += f"; one of the others: {wrong[0].wrong}"
    sentence = f"{what}: each prompt is heard once, in the order of the script"
    run.expect(sentence, bool(calls) and not wrong, found)


def expect_nothing_twice(run: ScenarioRun, calls: Sequence[ToldCall]) -> None:
    """Expect that nobody heard a prompt twice, and that many were heard."""
    twice = [f"{call.call_id} {call.twice}" for call in calls if call.twice]
    heard = sum(call.heard for call in calls)
    found = "; ".join(twice) or f"{heard} prompts in {len(calls)} calls"
    run.expect("no prompt is heard twice", heard > 0 and not twice, found)


def _play(run: ScenarioRun, script: Script) -> tuple[Conversation, str]:
    """Place a call; return it with what went wrong."""
    world, steps = run.world, script.story.script
    plan = CallPlan(
        placed=PlacedCall(caller=script.caller),
        people=steps.people,
        lengths=steps.lengths,
        wire=script.wire,
        retries=RetryPolicy(),
    )
    conversation = Conversation(plan, world.platform, world.neighbours.graph)
    wrong = ""
    # What became of its notifications is judged here.
    with BotCall(conversation, lambda _call_id: [], may_fail=True) as call:
        try:
            script.story.play(call)
        except ScriptError as error:
            wrong = f"{script.story.title}: {error}"
            with suppress(ScriptError):
                call.hangs_up()
    return conversation, wrong


def _told(
    conversation: Conversation,
    wrong: str,
    asked: Mapping[str, Sequence[Moment]],
    causes: Mapping[str, Sequence[Moment]],
    notes: Mapping[str, set[str]],
) -> ToldCall:
    call_id, report = conversation.call.call_id, conversation.report
    reports: list[CallReport] = [conversation.steps, *([report] if report else [])]
    heard = [prompt.name for prompt in conversation.heard if prompt.is_audible]
    return ToldCall(
        call_id=call_id,
        region=report.region if report else None,
        wrong=wrong,
        heard=len(heard),
        twice=[
            *heard_twice(heard, conversation.controls),
            *without_cause(asked.get(call_id, ()), causes.get(call_id, ())),
        ],
        errors={s.error for each in reports for s in each.steps if s.error},
        notes=notes.get(call_id, set()),
    )


@contextmanager
def _watching(run: ScenarioRun) -> Iterator[dict[str, list[Moment]]]:
    """Note when Graph begins which turn's prompts, by call."""
    graph, journal = run.world.neighbours.graph, run.world.journal
    asked: defaultdict[str, list[Moment]] = defaultdict(list)
    before = graph.before_reply

    def note(request: CallRequest) -> None:
        if request.control == "playPrompt":
            turn = str(request.body.get("clientContext"))
            asked[request.call_id].append(Moment(journal.now_seconds, turn))
        before(request)

    graph.before_reply = note
    try:
        yield asked
    finally:
        graph.before_reply = before


def _causes_by_call(run: ScenarioRun) -> dict[str, list[Moment]]:
    """Return when each event that may cause a prompt was first sent."""
    causes: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for entry in run.entries:
        event = entry.event
        if isinstance(event, StepStarted) and (cause := _cause_of(event)):
            causes[event.call_id].setdefault(cause, entry.seconds)
    return {
        call_id: [Moment(seconds, what) for what, seconds in found.items()]
        for call_id, found in causes.items()
    }


def _cause_of(step: StepStarted) -> str:
    """Return the event that a notification tells of; empty: it causes no prompt."""
    if step.what in {"established", "transfer failed"}:
        return step.what
    if step.what == "tone" or step.what.endswith(" completed"):
        data = step.notification["value"][0]["resourceData"]
        return f"{step.what} {data.get('toneInfo', data).get('sequenceId', data['id'])}"
    return ""


def _notes_by_call(run: ScenarioRun) -> dict[str, set[str]]:
    notes: dict[str, set[str]] = {}
    for event in run.events(LogWritten):
        if event.call_id is not None:
            found = event.line.get("notes") or ()
            notes.setdefault(event.call_id, set()).update(found)
    return notes
