"""The reference part of docs/bot.md, written from the code's tables and docstrings.

``python -m tests.architecture.bot_reference`` writes it anew between its marks.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import dedent
from typing import Any, NamedTuple

from shared import calls
from shared.core.actions import ROWS, Row, Source
from tests.support.checkout import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "bot.md"
BEGIN, END = "<!-- reference: begin -->\n", "<!-- reference: end -->\n"


class Told(NamedTuple):
    """What neither docstring nor table says of an event.

    Attributes:
        when: what the notification says.
        how_often: by what it is known when it comes again.
        seconds: a handler's time.
    """

    when: str
    how_often: str = "each time"
    seconds: str = "5 s"


EVENTS: dict[type[calls.Event], Told] = {
    calls.Incoming: Told(
        "a new call on the calling webhook that this deployment takes",
        "once per call and process",
        "3 s; 1 s where a policy wants the call recorded",
    ),
    calls.ParticipantJoining: Told("a `participantJoiningNotification`", seconds="3 s"),
    calls.Established: Told(
        "the call's state is `established` and its audio is active", "once per call"
    ),
    calls.Tone: Told("the call has `toneInfo`", "once per `sequence_id`"),
    calls.OperationCompleted: Told(
        "an operation was deleted, or its status is `completed` or `failed`",
        "once per operation",
    ),
    calls.TransferFailed: Told(
        "the call is `established` again, with a `resultInfo.code` of 400 or more"
    ),
    calls.Participants: Told("the list of participants, or a change of it"),
    calls.Failed: Told(
        "no notification: the handling of an event ended `bot-failed`, "
        "`action-refused` or `action-unavailable`",
        "at most three times per notification",
    ),
    calls.Terminated: Told(
        "the call was deleted, or its state is `terminated`", "once per call"
    ),
    calls.Event: Told("everything else"),
}
VALUES = (calls.Call, calls.Person, calls.Participant)
PEOPLE = (calls.user, calls.application, calls.application_instance, calls.phone)
MAX_LINE = 88
EVERY_EVENT = """\
Every event has `call`, and `raw`, the whole item as it came.
`raw` may hold tokens: do not log it.
What else an event has is listed with it."""
_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):$", re.MULTILINE)


def place(document: str) -> str:
    """Return the document with the reference between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{write()}{END}{after}"


def write() -> str:
    """Return the reference in Markdown."""
    parts = [
        "## Events",
        EVERY_EVENT,
        *(_event(kind, told) for kind, told in EVENTS.items()),
        "## Values",
        *(_value(kind) for kind in VALUES),
        "## Actions",
        _permissions(),
        *(_action(row) for row in ROWS),
        "## People",
        *(f"### `{_signature(each)}`\n\n{_summary(each)}" for each in PEOPLE),
    ]
    return "\n\n".join(["", *parts, ""]).lstrip("\n")


# --- events and values ----------------------------------------------------------------


def _event(kind: type[calls.Event], told: Told) -> str:
    decorator = getattr(calls.Bot, kind.name)
    facts = [
        ("decorator", _decorators(decorator)),
        ("when", told.when),
        ("told", told.how_often),
        ("may return", _returns(kind)),
        ("a handler's time", told.seconds),
    ]
    fields = _fields(kind) if kind is not calls.Event else ""
    text = f"{_summary(kind)}\n{_summary(decorator)}"
    return _join(f"### `{kind.name}`", text, _facts(facts), fields)


def _decorators(decorator: Callable[..., Any]) -> str:
    names = list(inspect.signature(decorator).parameters)[1:]
    wanted = ", ".join(f"{name}=…" for name in names if name != "handler")
    name = decorator.__name__
    return f"`@bot.{name}`" + (f" or `@bot.{name}({wanted})`" if wanted else "")


def _returns(kind: type[calls.Event]) -> str:
    names = [f"`{row.function}`" for row in ROWS if row.source == kind.name]
    if not names:
        return "nothing, an action, or a list of actions"
    return f"nothing, or one of {', '.join(names)}"


def _value(kind: type) -> str:
    more = "It has what a `Person` has, and more."
    text = f"{_summary(kind)}\n{more if kind is calls.Participant else ''}".strip()
    return _join(f"### `{kind.__name__}`", text, _fields(kind))


def _fields(kind: type) -> str:
    described = _described(kind, "Attributes")
    for above in kind.__mro__[1:-1]:
        if above not in (calls.Event, calls.Person):
            described = {**_described(above, "Attributes"), **described}
    types = {n: t for each in kind.__mro__ for n, t in _annotations(each).items()}
    rows = [(f"`{n}`", f"`{types[n]}`", text) for n, text in described.items()]
    return _table(("field", "type", "what it says"), rows) if rows else ""


def _annotations(kind: type) -> dict[str, str]:
    """Return the annotations of a class as they are written."""
    if kind is object:
        return {}
    [node] = ast.parse(dedent(inspect.getsource(kind))).body
    return {
        ast.unparse(each.target): ast.unparse(each.annotation)
        for each in getattr(node, "body", [])
        if isinstance(each, ast.AnnAssign)
    }


# --- actions --------------------------------------------------------------------------


def _permissions() -> str:
    rows = [
        (f"[`{row.function}`](#{row.function})", row.permission)
        for row in ROWS
        if row.source is not Source.JOINING
    ]
    return _table(("action", "application permission of Microsoft Graph"), rows)


def _action(row: Row) -> str:
    function = getattr(calls, row.function)
    arguments = [(f"`{n}`", text) for n, text in _described(function, "Args").items()]
    return _join(
        f"### `{row.function}`",
        f"```text\n{_signature(function)}\n```",
        _summary(function),
        _table(("argument", "what it is"), arguments) if arguments else "",
        _facts(_action_facts(row)),
    )


def _action_facts(row: Row) -> Iterator[tuple[str, str]]:
    every = row.source is Source.OTHERS
    yield "may come from", row.source.value if every else f"`{row.source.value}`"
    if row.source is Source.JOINING:
        yield "sent", "in the reply to the notification"
    else:
        yield "request", f"`{row.method} /communications/calls/{{id}}{row.path}`"
        yield "if a reply is lost", _if_lost(row)
    yield "permission", row.permission
    yield "Graph", f"[{row.name}]({row.page})"


def _if_lost(row: Row) -> str:
    if row.is_repeatable:
        return "it is sent again"
    return "it is not sent again: somebody would hear or see it twice"


# --- docstrings -----------------------------------------------------------------------


def _signature(function: Callable[..., Any]) -> str:
    [node] = ast.parse(inspect.getsource(function)).body
    assert isinstance(node, ast.FunctionDef)
    arguments = re.sub(r"(: [^,=]+)=", r"\1 = ", ast.unparse(node.args))
    line = f"{node.name}({arguments})".replace("'", '"')
    if len(line) <= MAX_LINE:
        return line
    # A comma within a type has no name and colon behind it.
    lines = re.split(r", (?=\*,|\*?\w+:)", arguments.replace("'", '"'))
    return "\n    ".join([f"{node.name}(", *(f"{each}," for each in lines)]) + "\n)"


def _summary(documented: object) -> str:
    """Return a docstring without its sections, permission and page."""
    text = _SECTION.split(inspect.getdoc(documented) or "")[0]
    text = re.sub(r"Permission: .*", "", text, flags=re.DOTALL)
    return _markdown(re.sub(r"^https://\S+$", "", text, flags=re.MULTILINE))


def _described(documented: object, section: str) -> dict[str, str]:
    """Return what a section of a docstring says of each name."""
    parts = _SECTION.split(inspect.getdoc(documented) or "")
    if section not in parts:
        return {}
    text = parts[parts.index(section) + 1].split("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", text, re.MULTILINE)
    return {name: _markdown(what) for name, what in found}


def _markdown(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"* {name}: {text}" for name, text in facts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, *rows]
    made = [f"| {' | '.join(map(_cell, line))} |" for line in lines]
    made.insert(1, f"|{'---|' * len(head)}")
    return "\n".join(made)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


if __name__ == "__main__":
    DOCUMENT.write_text(place(DOCUMENT.read_text("utf-8")), "utf-8")
