"""The phone of the page, in a real browser: calls, sound, and what they cause."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.simulator.caller.script import Script
from tests.simulator.page.server import PageServer
from tests.simulator.phone.phone import Phone
from tests.simulator.tests.page.watching import remember_texts, watching
from tests.simulator.tests.phone.conftest import MakePhone, open_page
from tests.simulator.tests.phone.quick_bot import TARGET, TEXT, write_bot, write_tone

PLAYING = """() => {
  const audio = document.getElementById("phone-audio");
  return [new URL(audio.src).pathname, audio.currentTime, audio.paused];
}"""
BEEPED = """() => {
  const beep = document.getElementById("phone-beep");
  return beep.src.startsWith("blob:") && beep.played.length === 1 && beep.ended;
}"""
# Counts how often the page asks for the microphone.
COUNT_MICROPHONES = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.asked = 0;
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked += 1;
    return ask(wanted);
  };
}"""


# The microphone ends as soon as it is on.
SPEAK_AND_HANG_UP = """() => {
  const begin = MediaRecorder.prototype.start;
  MediaRecorder.prototype.start = function start() {
    MediaRecorder.prototype.start = begin;
    this.start();
    this.stop();
  };
  const speak = document.querySelector("#voice-speak");
  const watch = new MutationObserver(() => {
    watch.disconnect();
    document.querySelector("#phone-hang-up").click();
  });
  watch.observe(speak, { attributes: true, attributeFilter: ["aria-pressed"] });
  speak.click();
}"""
# Whether the bot's line has changed twice: the regions restarted, and are back.
IS_BACK = """before => {
  const shown = window.said["#phone-bot"];
  return shown.length > before + 1 && shown.at(-1).includes("takes the calls");
}"""


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bot(tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="module")
def phone(make_phone: MakePhone, bot: Path) -> Phone:
    return make_phone(bot, time.monotonic)


@pytest.fixture(scope="module")
def server(phone: Phone) -> Iterator[PageServer]:
    with open_page(phone) as serving:
        yield serving


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    with watching(browser, server.url, motion="reduce") as opened:
        yield opened.page
        hang_up(opened.page)
        assert opened.complaints == []
        assert opened.outside == []


def hang_up(page: Page) -> None:
    button = page.locator("#phone-hang-up")
    if button.is_visible():
        button.click()
    expect(button).to_be_hidden()


def event(page: Page, name: str) -> Locator:
    """Return the events of a name, as handlers know them."""
    return page.locator(f'.phone-event:has(.event-name:text-is("{name}"))')


def call(page: Page) -> Locator:
    """Call the bot, and wait until it can be heard; return what is heard and said."""
    page.click(".phone-form button[type=submit]")
    lines = page.locator("#phone-lines")
    expect(page.locator("#phone-state")).to_contain_text("In the call")
    expect(lines).to_contain_text("“Press a key.”")
    return lines


@pytest.mark.parametrize(
    ("button", "end"),
    [
        ("Accept", f"{TARGET} has the call now."),
        ("Decline", "The bot hung up."),
    ],
)
def test_a_person_hears_the_bot_and_is_transferred(
    page: Page, button: str, end: str
) -> None:
    lines = call(page)
    source, at, is_paused = page.evaluate(PLAYING)
    assert source == "/api/phone/prompts/ask.wav"
    assert at < 3.1
    assert not is_paused
    page.get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#phone-target")).to_contain_text(TARGET)
    assert page.evaluate(PLAYING)[2]

    page.get_by_role("button", name=button, exact=True).click()

    expect(page.locator("#phone-state")).to_have_text(end)
    expect(lines).to_contain_text("You pressed 1.")
    expect(lines).to_contain_text("ask was cut short.")
    if button == "Decline":
        expect(lines).to_contain_text("“Sorry.”")


def test_a_target_who_does_not_answer_is_told_of(page: Page) -> None:
    """The events name the handler that took each, its state and its actions."""
    lines = call(page)
    page.keyboard.press("1")
    page.get_by_role("button", name="Do not answer").click()

    expect(lines).to_contain_text(f"{TARGET} does not answer.")
    row = event(page, "transfer_failed")
    expect(row).to_contain_text("apologise")
    expect(row).to_contain_text("playPrompt")
    tone = event(page, "tone")
    number = TEXT.splitlines().index('@bot.tone("1")') + 1
    expect(tone).to_contain_text(f"quick.py:{number} transfer")
    tone.locator("summary").click()
    expect(tone.locator(".states")).to_contain_text('{"turn":1}')
    expect(tone.locator(".states")).to_contain_text('{"turn":9}')
    expect(tone).to_contain_text("transfer: 202")
    expect(page.locator("#phone-state")).to_have_text("The bot hung up.")


def test_wrong_keys_and_silence_are_three_turns(page: Page) -> None:
    """A key that the bot fails at shows its error with the line."""
    lines = call(page)
    page.keyboard.press("#")
    expect(lines).to_contain_text("“That was wrong.”")
    page.keyboard.press("3")
    failed = page.locator(".phone-event[data-tone=red]")
    expect(failed).to_contain_text("bot-failed")
    failed.locator("summary").click()
    line = TEXT.splitlines().index('    raise KeyError("nothing")') + 1
    expect(failed).to_contain_text(f"KeyError, line {line}: 'nothing'")

    expect(page.locator("#phone-state")).to_have_text("The bot hung up.")

    expect(page.get_by_role("button", name="5", exact=True)).to_be_disabled()


def test_a_voice_mail_comes_from_a_file(page: Page, tmp_path: Path) -> None:
    """A beep says when to speak. The bot gets the recording once it is silent."""
    lines = call(page)
    page.keyboard.press("2")
    expect(page.locator("#phone-voice")).to_be_visible()
    expect(lines).to_contain_text("A beep: the bot records what you say.")
    page.wait_for_function(BEEPED)

    page.set_input_files("#voice-file", write_tone(tmp_path / "hello.wav", 0.5))

    expect(lines).to_contain_text("You spoke for 0.5 s.")
    expect(page.get_by_label("What you said")).to_be_visible()
    expect(page.locator("#phone-state")).to_have_text("The bot hung up.")
    page.evaluate("document.querySelector('#phone-lines').scrollTop = 0")


def test_the_microphone_is_asked_for_once_a_voice_mail_begins(page: Page) -> None:
    """Hanging up ends what was said, and the bot gets it."""
    page.context.grant_permissions(["microphone"])
    page.evaluate(COUNT_MICROPHONES)
    lines = call(page)
    page.keyboard.press("2")
    speak = page.locator("#voice-speak")
    expect(speak).to_be_visible()
    assert page.evaluate("window.asked") == 0

    speak.click()
    expect(speak).to_have_text("I have spoken")
    assert page.evaluate("window.asked") == 1
    page.locator("#phone-hang-up").click()

    expect(lines).to_contain_text(re.compile(r"You spoke for \d+(\.\d)? s\."))
    expect(page.locator("#phone-state")).to_have_text("You hung up.")
    taken = event(page, "operation_completed").last
    expect(taken).to_contain_text("quick.py")


def test_whoever_hangs_up_before_the_first_sound_has_said_nothing(page: Page) -> None:
    page.context.grant_permissions(["microphone"])
    lines = call(page)
    page.keyboard.press("2")
    expect(page.locator("#voice-speak")).to_be_visible()

    page.evaluate(SPEAK_AND_HANG_UP)

    expect(lines).to_contain_text("You spoke for 0")
    expect(page.locator("#phone-state")).to_have_text("You hung up.")


@pytest.mark.parametrize("point", ["ringing", "prompt", "transfer", "recording"])
def test_a_person_can_hang_up_at_every_point(page: Page, point: str) -> None:
    if point == "ringing":
        page.keyboard.press("c")
        expect(page.locator("#phone-hang-up")).to_be_visible()
    else:
        call(page)
    if point in {"transfer", "recording"}:
        page.keyboard.press("1" if point == "transfer" else "2")
        card = "#phone-target" if point == "transfer" else "#phone-voice"
        expect(page.locator(card)).to_be_visible()

    page.keyboard.press("c")

    expect(page.locator("#phone-state")).to_have_text("You hung up.")
    expect(event(page, "terminated")).to_have_count(1)
    expect(page.locator("#phone-target")).to_be_hidden()
    expect(page.locator("#phone-voice")).to_be_hidden()


def test_a_saved_bot_is_heard_and_a_broken_one_is_told(page: Page, bot: Path) -> None:
    status = page.locator("#phone-bot")
    announced = remember_texts(page, "#announcer")
    shown = remember_texts(page, "#phone-bot")
    bot.write_text(TEXT.replace("def ask", "def ask("))
    expect(status).to_contain_text(re.compile("cannot be imported. line 10: SyntaxErr"))
    bot.write_text(TEXT.replace('format("sorry")', 'format("wrong")'))
    expect(status).to_contain_text("takes the calls", timeout=30_000)
    assert any("The regions run the new" in text for text in announced())
    page.select_option("#refuse-how", "403")
    page.click("#refuse-add")
    expect(page.locator(".refusals")).to_contain_text("transfer 403")

    lines = call(page)
    page.keyboard.press("1")

    expect(lines).to_contain_text("“That was wrong.”")
    refused = page.locator(".phone-event[data-tone=red]")
    expect(refused).to_contain_text("action-refused")
    refused.locator("summary").click()
    expect(refused).to_contain_text("transfer: 403 7503")
    page.get_by_role("button", name="transfer: 403 forbidden. Switch off").click()
    expect(page.locator(".refusals li")).to_have_count(0)
    bot.write_text(TEXT)
    page.wait_for_function(IS_BACK, arg=len(shown()))
    assert "restart" in shown()[-2]


def test_an_event_is_sent_again_and_the_call_becomes_a_script(page: Page) -> None:
    """A page that is loaded in the middle of a call goes on with it."""
    call(page)
    page.reload()
    page.wait_for_selector("#link[data-state=live]")
    expect(page.locator("#phone-state")).to_contain_text("In the call")
    row = page.locator(".phone-event", has_text="start").first
    row.locator("summary").click()
    rows = page.locator(".phone-event", has_text="already-handled")
    expect(rows).to_have_count(2)
    row.get_by_role("button", name="Send again").click()
    expect(rows).to_have_count(3)
    hang_up(page)

    page.click("#phone-write")

    expect(page.locator("#phone-script")).to_be_focused()
    text = page.input_value("#phone-script")
    steps = [step.line for step in Script.parse(text.splitlines()).steps]
    assert steps[0] == "is answered"
    assert steps[-1] == "hangs up"
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as call.txt").click()
    assert Path(saved.value.path()).read_text() == text
