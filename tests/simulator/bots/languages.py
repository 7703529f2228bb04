"""Opening hours in three languages: a key interrupts what plays, at any time."""

from shared import calls
from shared.calls import Action, Bot, Event, OperationCompleted, State, Tone

WAV = "https://cdn.contoso.com/hours/{}.wav"
LANGUAGES = {"1": "english", "2": "german", "3": "french"}
bot = Bot()


@bot.established
def welcome(event: Event) -> list[Action]:
    wavs = map(WAV.format, ("choose", "silence-5s", "english"))
    return [calls.subscribe_to_tone(), calls.play_prompt(*wavs, client_context="0")]


@bot.tone
def switch(event: Tone, state: State) -> list[Action] | None:
    turn = event.sequence_id or state.get("turn", 0) + 1
    if event.key not in LANGUAGES or turn <= state.get("turn", 0):
        return None  # a wrong key changes nothing, nor does an old one
    state["turn"] = turn
    hours = WAV.format(LANGUAGES[event.key])
    prompt = calls.play_prompt(hours, client_context=str(turn))
    return [calls.cancel_media_processing(), prompt]


@bot.operation_completed("playPrompt")
def end(event: OperationCompleted, state: State) -> Action | None:
    """Hang up, unless a key interrupted the prompt or another plays by now."""
    over = event.is_cancelled or int(event.client_context or 0) < state.get("turn", 0)
    return None if over else calls.hang_up()


@bot.failed
def give_up(event: Event) -> Action:
    return calls.hang_up()
