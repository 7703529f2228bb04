"""The example bots: what their callers hear, on a smooth wire and on a rough one.

``CALLS=50`` places so many calls to each bot on the rough wire, as CI does; without it
there are ten.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import ScriptError
from tests.simulator.caller.outside import ExampleService
from tests.simulator.caller.stories import BOTS as EXAMPLES
from tests.simulator.caller.stories import FIRST, STORIES, BotStory
from tests.simulator.platform.wire import Wire
from tests.simulator.services.graph_faults import RandomFaults

CALLS = int(os.environ.get("CALLS", "10"))
# Each of these asks for nine actions.
LOSSY_CALLS = max(CALLS // 2, 15)
BOTS = sorted({story.bot for story in STORIES})
PROCESSES = 2
AT_ONCE = 4


def play(story: BotStory, service: BotService, wire: Wire) -> str | None:
    """Call a bot as its story tells; return what went otherwise."""
    script = story.script
    call = service.place(
        people=script.people, lengths=script.lengths, wire=wire, **script.members
    )
    try:
        with call:
            story.play(call)
    except ScriptError as error:
        return f"{story.title}: {error}"
    return None


@pytest.fixture(params=BOTS)
def told_services(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[list[tuple[BotStory, ExampleService]]]:
    """Return the stories of a bot, each with its deployment; one for equal files."""
    stories = [story for story in STORIES if story.bot == request.param]
    services: dict[str, ExampleService] = {}
    try:
        for story in stories:
            key = str(story.changes)
            if key not in services:
                folder = tmp_path / str(len(services))
                folder.mkdir()
                service = ExampleService(story, folder, processes=PROCESSES)
                service.__enter__()
                services[key] = service
        yield [(story, services[str(story.changes)]) for story in stories]
    finally:
        for service in services.values():
            service.close()


def expect_as_told(story: BotStory, service: ExampleService) -> None:
    """Play a story on a smooth wire: its prompts, and the message that it leaves."""
    messages = service.outside.messages
    messages.clear()

    assert play(story, service, Wire()) is None

    if "message" in story.title or "hangs up" in story.title:
        [message] = messages.values()
        recording = message["url"].rpartition("/")[2]
        assert service.graph.recordings[recording] == message["token"]
    else:
        assert messages == {}


@pytest.mark.timeout(120 + 2 * CALLS)
def test_prompts_are_heard_once_and_in_order_on_a_smooth_wire_and_a_rough_one(
    told_services: list[tuple[BotStory, ExampleService]],
) -> None:
    """First each story by itself.

    Then notifications come twice and overtake, to two processes, and Graph throttles.
    """
    for story, service in told_services:
        expect_as_told(story, service)
    for number, (_, service) in enumerate(told_services):
        service.graph.standing_fault = RandomFaults(number, throttled=0.03)
    told = islice(cycle(told_services), CALLS)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = [
            pool.submit(play, story, service, Wire.rough(seed))
            for seed, (story, service) in enumerate(told)
        ]
        wrong = [found for outcome in outcomes if (found := outcome.result())]

    assert wrong == [], f"{len(wrong)} of {CALLS} calls"


BOT_OF_ALL_ACTIONS = """
from shared import calls

PERSON = calls.user("{person}")
bot = calls.Bot()


@bot.established
def start(event):
    return calls.subscribe_to_tone()


@bot.tone
def act(event):
    context = str(event.sequence_id)
    wav = "https://cdn.contoso.com/wav.wav"
    match event.key:
        case "1":
            return calls.play_prompt(wav, client_context=context)
        case "2":
            return calls.record_response(wav, client_context=context)
        case "3":
            return calls.send_dtmf_tones("1", client_context=context)
        case "4":
            return calls.invite(PERSON, client_context=context)
    return calls.transfer(PERSON, client_context=context)
"""


@pytest.mark.timeout(120 + 2 * CALLS)
def test_no_action_that_people_notice_is_repeated_when_replies_are_lost(
    tmp_path: Path,
) -> None:
    """The bot asks for each once, whatever becomes of the reply: so must Graph be."""
    bot = tmp_path / "bot.py"
    bot.write_text(BOT_OF_ALL_ACTIONS.format(person=FIRST), "utf-8")

    def place(seed: int) -> None:
        people = {FIRST: "refuses"}
        wire = Wire.rough(seed)
        with service.place(people=people, wire=wire, is_group_call=True) as call:
            call.presses("12341234")
            call.waits(60)
            call.presses("5")

    with BotService(bot) as service:
        service.graph.standing_fault = RandomFaults(
            1, lost=0.2, throttled=0.02, unavailable=0.05
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(place, range(LOSSY_CALLS)))
        asked = Counter(
            (each.call_id, each.control, each.body["clientContext"])
            for each in service.graph.controls
            if each.took_effect and "clientContext" in (each.body or {})
        )
        lost = sum(
            each.took_effect and not each.status for each in service.graph.controls
        )

    assert [each for each, times in asked.items() if times > 1] == []
    assert len(asked) > 5 * LOSSY_CALLS
    assert lost > LOSSY_CALLS


def test_every_example_has_a_story() -> None:
    files = {path.stem for path in EXAMPLES.glob("*.py")}

    assert files - {"__init__"} == {*BOTS}
