"""Agents are called in turn; where none takes the call, the caller leaves a message."""

import requests

from shared import calls
from shared.calls import Action, Bot, Event, OperationCompleted, State

AGENTS = [
    calls.user("550fae72-d251-43ec-868c-373732c2704f"),
    calls.user("0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3"),
    calls.user("a6c1f0d4-3e52-4b7d-8d0e-91b0c5d7f2a8"),
]
WAV = "https://cdn.contoso.com/agents/{}.wav"
INBOX = "https://voice-mail.contoso.com/messages"
bot = Bot()


def announce(state: State, agent: int) -> Action:
    """Say that an agent will be called, or after the last take a message."""
    state.update(agent=agent, is_ringing=False)
    if agent < len(AGENTS):
        return calls.play_prompt(WAV.format("please-hold"), client_context=str(agent))
    leave = WAV.format("leave-a-message")
    return calls.record_response(leave, max_record_duration_in_seconds=120)


@bot.established
def start(event: Event, state: State) -> Action:
    return announce(state, 0)


@bot.operation_completed("playPrompt")
def ring(event: OperationCompleted, state: State) -> Action:
    if event.client_context != str(state.get("agent")):
        return announce(state, len(AGENTS))  # the state is lost: no endless attempts
    state["is_ringing"] = True
    return calls.transfer(AGENTS[state["agent"]])


@bot.transfer_failed
@bot.failed("transfer")
def next_agent(event: Event, state: State) -> Action | None:
    if not state.get("is_ringing", True):
        return None  # transfer_failed may come twice
    return announce(state, state.get("agent", len(AGENTS)) + 1)


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
