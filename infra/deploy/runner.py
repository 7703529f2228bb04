"""Do the actions of a deployment, each printed before it is done.

A dry run prints them only. Commands that Azure refuses for a moment (throttling,
another operation on the same site) are repeated: all of them may be run twice.
"""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from infra.deploy.actions import (
    ANSWER,
    Action,
    Actions,
    Ask,
    Begin,
    Check,
    Condition,
    EndUnless,
    Pause,
    Publish,
    Run,
    Say,
    Until,
    filled_in,
    line_of,
    text_of,
)

ATTEMPTS = 4
PAUSE_SECONDS = 30
# What Azure says of what passes: its throttling, an update of the same site that is not
# done yet, a role that has not spread.
_PASSES = re.compile(
    r"TooManyRequests|\b429\b|throttl|another operation is in progress|\b503\b"
    r"|ServerBusy|Conflict.*try again|AuthorizationFailed.*refresh|PrincipalNotFound",
    re.IGNORECASE | re.DOTALL,
)
# A pipeline's login by OpenID Connect lasts ten minutes for what was not asked before:
# https://github.com/Azure/login/issues/372
_EXPIRED = re.compile(r"AADSTS700024|AADSTS700082|AADSTS50173")


class Finished(NamedTuple):
    """How a command ended: exit status, what it printed, what it complained of."""

    status: int
    output: str = ""
    complaint: str = ""


class Machine(Protocol):
    """Where commands run."""

    def run(self, words: Sequence[str], folder: str, *, is_asked: bool) -> Finished:
        """Run a command in a folder; only where ``is_asked`` its output is kept."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class ThisMachine:
    """Commands are processes."""

    def run(self, words: Sequence[str], folder: str, *, is_asked: bool) -> Finished:
        """Run a process; complaints are kept, and shown once it ends."""
        try:
            finished = subprocess.run(  # noqa: S603 - the commands of the deployment
                words,
                cwd=folder or ".",
                stdout=subprocess.PIPE if is_asked else None,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        except OSError as error:
            return Finished(127, "", f"{words[0]}: {error.strerror}")
        sys.stderr.write(finished.stderr)
        return Finished(finished.returncode, finished.stdout or "", finished.stderr)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class StoppedError(Exception):
    """The deployment stops; the text says why, for people."""


def attempt(
    machine: Machine, words: Sequence[str], shape: str = "{}", *, is_asked: bool
) -> Finished:
    """Print a command and run it; repeat it while Azure's refusal may pass.

    Args:
        machine: where it runs.
        words: of the command, without names of answers.
        shape: of the line that is printed; ``{}`` stands for the command.
        is_asked: whether its output is kept.
    """
    for number in range(1, ATTEMPTS + 1):
        print(shape.format(line_of(words)), flush=True)
        finished = machine.run(words, "", is_asked=is_asked)
        passes = "az" in words and _PASSES.search(finished.complaint)
        if not finished.status or not passes or number == ATTEMPTS:
            break
        _pause(machine, PAUSE_SECONDS)
    return finished


def _pause(machine: Machine, seconds: int) -> None:
    print(f"sleep {seconds}", flush=True)
    machine.sleep(seconds)


class Runner:
    """Does actions one after the other.

    Attributes:
        answers: what has been found so far, and the operator's variables.
        step: title of the step that is being done.
    """

    def __init__(
        self, machine: Machine, answers: dict[str, str], *, is_dry: bool = False
    ) -> None:
        """Do actions on ``machine``, or only print them."""
        self.answers = answers
        self.step = "start"
        self._machine = machine
        self._is_dry = is_dry

    def do(self, actions: Actions) -> None:
        """Do all actions.

        Raises:
            StoppedError: one of them has failed.
        """
        for action in actions:
            if isinstance(action, Begin):
                self.step = action.title
            if self._is_dry:
                print(text_of(action), flush=True)
            elif not self._do(action):
                return

    def _do(self, action: Action) -> bool:  # noqa: C901, PLR0912 - one for each kind
        """Do one action; false: that was all."""
        match action:
            case Begin() | Say(when=None):
                print(filled_in(text_of(action), self.answers), flush=True)
            case Say(text, when):
                if self._holds(when):
                    print(f"# {filled_in(text, self.answers)}", flush=True)
            case Run(words, when, otherwise):
                if self._holds(when):
                    self._run(words, otherwise)
            case Ask(name, words, otherwise):
                self.answers[name] = self._ask(words, otherwise, f"{name}=$({{}})")
            case Check(when, otherwise):
                print(when.text)
                self._stop_unless(when.holds(self.answers), otherwise)
            case Publish():
                self._publish(action)
            case Pause(seconds, when):
                if self._holds(when):
                    self._pause(seconds)
            case Until():
                if self._holds(action.when):
                    self._wait(action)
            case EndUnless(when):
                return when.holds(self.answers)
        return True

    def _holds(self, when: Condition | None) -> bool:
        return when is None or when.holds(self.answers)

    def _run(self, words: Sequence[str], otherwise: str) -> None:
        finished = self._attempt(words, "{}", is_asked=False)
        self._stop_unless(not finished.status, otherwise, finished, words)

    def _ask(self, words: Sequence[str], otherwise: str, shape: str) -> str:
        finished = self._attempt(words, shape, is_asked=True)
        self._stop_unless(not finished.status, otherwise, finished, words)
        return finished.output.strip()

    def _attempt(self, words: Sequence[str], shape: str, *, is_asked: bool) -> Finished:
        filled = [filled_in(word, self.answers) for word in words]
        return attempt(self._machine, filled, shape, is_asked=is_asked)

    def _pause(self, seconds: int) -> None:
        _pause(self._machine, seconds)

    def _publish(self, action: Publish) -> None:
        words = [filled_in(word, self.answers) for word in action.words]
        for number in range(1, action.times + 1):
            print(line_of(words, action.folder), flush=True)
            finished = self._machine.run(words, action.folder, is_asked=False)
            if not finished.status:
                return
            if number < action.times:
                self._pause(action.pause_seconds)
        print(
            f"# It failed {action.times} times. Whether it took all the same, we see."
        )

    def _wait(self, action: Until) -> None:
        waited = 0
        while True:
            if action.is_patient:
                finished = self._attempt(action.words, "{}", is_asked=True)
                self.answers[ANSWER] = finished.output.strip()
            else:
                self.answers[ANSWER] = self._ask(action.words, action.otherwise, "{}")
            if action.wanted.holds(self.answers):
                return
            self._stop_unless(waited < action.at_most_seconds, action.otherwise)
            self._pause(action.every_seconds)
            waited += action.every_seconds

    def _stop_unless(
        self,
        is_well: bool,  # noqa: FBT001 - what the name of the method asks
        otherwise: str,
        finished: Finished | None = None,
        words: Sequence[str] = (),
    ) -> None:
        if is_well:
            return
        sentence = filled_in(otherwise, self.answers)
        if finished and _EXPIRED.search(finished.complaint):
            cure = "The login has expired; log in again and run the same command."
            sentence = f"{sentence} {cure}".lstrip()
        if not sentence and finished:
            command = " ".join(words[:3])
            sentence = f"`{command} …` failed with exit status {finished.status}."
        raise StoppedError(sentence)
