"""What a deployment consists of, as data: actions, and conditions that decide.

Words may name answers: ``$NAME`` stands for what an ``Ask`` before it has found, or for
a variable of the operator. Every action has a text, a line of bash that does the same.
So a dry run is a script that works.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

type Words = Sequence[str]
type Answers = Mapping[str, str]

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+,-]+")


def quoted(word: str) -> str:
    """Return a word quoted for bash; ``$NAME`` stays a name."""
    if _PLAIN.fullmatch(word):
        return word
    if _NAME.search(word):
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if "'" in word and not re.search(r'["`\\$]', word):
        return f'"{word}"'
    return "'" + word.replace("'", "'\\''") + "'"


def filled_in(word: str, answers: Answers) -> str:
    """Return a word with what its names stand for."""
    return _NAME.sub(lambda found: answers[found[1]], word)


def line_of(words: Words, folder: str = "") -> str:
    """Return a command as a line of bash."""
    line = " ".join(map(quoted, words))
    return f"(cd {quoted(folder)} && {line})" if folder else line


class Condition(NamedTuple):
    """Something that holds or not, once answers are known.

    Attributes:
        text: the same for bash.
        holds: tells it.
    """

    text: str
    holds: Callable[[Answers], bool]


def equals(name: str, value: str) -> Condition:
    """The answer is ``value``, which may name another answer."""
    return Condition(
        f'[ "${name}" = {quoted(value)} ]',
        lambda answers: answers[name] == filled_in(value, answers),
    )


def differs(name: str, value: str) -> Condition:
    """The answer is not ``value``, which may name another answer."""
    return Condition(
        f'[ "${name}" != {quoted(value)} ]',
        lambda answers: answers[name] != filled_in(value, answers),
    )


def is_empty(name: str) -> Condition:
    """Nothing was found."""
    return Condition(f'[ -z "${name}" ]', lambda answers: not answers[name])


def is_found(name: str) -> Condition:
    """Something was found."""
    return Condition(f'[ -n "${name}" ]', lambda answers: bool(answers[name]))


def has_no_line(name: str, line: str) -> Condition:
    """No line of the answer is ``line``."""
    return Condition(
        f'! grep -qx {quoted(line)} <<<"${name}"',
        lambda answers: line not in answers[name].splitlines(),
    )


def has_no_word(name: str, word: str) -> Condition:
    """No word of the answer is ``word``."""
    return Condition(
        f'[[ " ${name} " != *" {word} "* ]]',
        lambda answers: word not in answers[name].split(),
    )


def is_older(name: str, than: str, seconds: int) -> Condition:
    """The answer is a time (s) at least ``seconds`` before that of ``than``."""
    return Condition(
        f'[ "$(({than} - {name}))" -ge {seconds} ]',
        lambda answers: int(answers[than]) - int(answers[name]) >= seconds,
    )


def both(first: Condition, second: Condition) -> Condition:
    """Both hold."""
    return Condition(
        f"{first.text} && {second.text}",
        lambda answers: first.holds(answers) and second.holds(answers),
    )


def either(first: Condition, second: Condition) -> Condition:
    """One of them holds."""
    return Condition(
        f"{first.text} || {second.text}",
        lambda answers: first.holds(answers) or second.holds(answers),
    )


class Begin(NamedTuple):
    """A step begins; a failure names it."""

    title: str


class Say(NamedTuple):
    """Tell the operator something, where ``when`` holds."""

    text: str
    when: Condition | None = None


class Run(NamedTuple):
    """Run a command, where ``when`` holds; ``otherwise`` says what a failure means."""

    words: Words
    when: Condition | None = None
    otherwise: str = ""


class Ask(NamedTuple):
    """Keep what a command prints as the answer ``name``."""

    name: str
    words: Words
    otherwise: str = ""


class Check(NamedTuple):
    """Stop with a sentence unless something holds."""

    when: Condition
    otherwise: str


class Publish(NamedTuple):
    """Run a command in a folder, up to ``times`` times; what follows judges."""

    words: Words
    folder: str
    times: int
    pause_seconds: int


class Pause(NamedTuple):
    """Wait, where ``when`` holds."""

    seconds: int
    when: Condition | None = None


class Until(NamedTuple):
    """Ask again and again until the answer is as wanted.

    Attributes:
        words: the question.
        wanted: text and judgement of the answer, which is ``$ANSWER``.
        every_seconds: pause between two questions.
        at_most_seconds: after which it ends with ``otherwise``.
        otherwise: says what that means.
        when: only where this holds.
        is_patient: whether a question that fails is asked again, too.
    """

    words: Words
    wanted: Condition
    every_seconds: int
    at_most_seconds: int
    otherwise: str
    when: Condition | None = None
    is_patient: bool = False


class EndUnless(NamedTuple):
    """The deployment ends here, well, unless something holds."""

    when: Condition


type Action = Begin | Say | Run | Ask | Check | Publish | Pause | Until | EndUnless
type Actions = Iterator[Action]

ANSWER = "ANSWER"


def contains(name: str) -> Condition:
    """The reply contains the answer ``name``."""
    return Condition(
        f'[[ $ANSWER == *"${name}"* ]]',
        lambda answers: answers[name] in answers[ANSWER],
    )


def text_of(action: Action) -> str:  # noqa: PLR0911 - one for each kind
    """Return an action as bash; what it says to the operator is a comment."""
    match action:
        case Begin(title):
            return f"\n# {title}"
        case Say(text, when):
            return _if(when, f"echo {quoted(f'# {text}')}") if when else f"# {text}"
        case Run(words, when):
            return _if(when, line_of(words))
        case Ask(name, words):
            return f"{name}=$({line_of(words)})"
        case Check(when):
            return when.text
        case Publish():
            return _loop(action)
        case Pause(seconds, when):
            return _if(when, f"sleep {seconds}")
        case Until():
            return _if(action.when, _until(action))
        case EndUnless(when):
            return f"{when.text} || exit 0"


def _if(when: Condition | None, line: str) -> str:
    return f"if {when.text}; then {line}; fi" if when else line


def _loop(action: Publish) -> str:
    numbers = " ".join(map(str, range(1, action.times + 1)))
    line = line_of(action.words, action.folder)
    pause = f'[ "$attempt" = {action.times} ] || sleep {action.pause_seconds}'
    return f"for attempt in {numbers}; do {line} && break; {pause}; done"


def _until(action: Until) -> str:
    ask = f"{ANSWER}=$({line_of(action.words)})"
    pause = f"sleep {action.every_seconds}"
    return f"until {ask}; {action.wanted.text}; do {pause}; done"
