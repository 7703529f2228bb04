"""Voice mail: out of hours the bot takes a message, else a call queue gets the call."""

from datetime import datetime
from zoneinfo import ZoneInfo

import requests

from shared import calls
from shared.calls import Action, Bot, Event, Incoming, OperationCompleted

QUEUE = calls.application_instance("550fae72-d251-43ec-868c-373732c2704f")
GREETING = "https://cdn.contoso.com/voice-mail/greeting.wav"
INBOX = "https://voice-mail.contoso.com/messages"
bot = Bot()


def is_open(now: datetime) -> bool:
    return now.weekday() < 5 and 9 <= now.hour < 17


@bot.incoming
def take(event: Incoming) -> Action:
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    return calls.redirect(QUEUE) if is_open(now) else calls.answer(prefetch=[GREETING])


@bot.established
def record(event: Event) -> Action:
    return calls.record_response(GREETING, max_record_duration_in_seconds=120)


@bot.operation_completed("record")  # it comes, too, if the caller just hangs up
def keep(event: OperationCompleted) -> Action:
    message = {"url": event.recording_location, "token": event.recording_access_token}
    key = {"Idempotency-Key": f"{event.call.id}/message"}
    if event.recording_location:  # our service fetches it; it is gone soon
        requests.post(INBOX, json=message, headers=key, timeout=4).raise_for_status()
    return calls.hang_up()


@bot.failed
def give_up(event: Event) -> Action:
    return calls.hang_up()
