"""What this bot does with its calls: yours to edit.

As delivered the bot has no handlers: calls are answered, and what follows is accepted
and logged. This one offers a menu, and transfers whoever presses 1:

    from shared.calls import Bot, Established, Tone, play_prompt, subscribe_to_tone
    from shared.calls import Action, transfer, user

    bot = Bot()


    @bot.established  # the caller can hear the bot
    def menu(event: Established) -> list[Action]:
        return [subscribe_to_tone(), play_prompt("https://cdn.contoso.com/menu.wav")]


    @bot.tone("1")  # the caller pressed 1
    def sales(event: Tone) -> Action:
        return transfer(user("550fae72-d251-43ec-868c-373732c2704f"))
"""

from shared.calls import Bot

bot = Bot()
