"""Tell everything that would stop a deployment, before anything is made.

Every question is asked, whatever the answers are, and every problem is a sentence with
the command that cures it. A warning does not stop a deployment: it tells of something
that could not be looked at, or that the deployment waits for.
"""

from typing import NamedTuple

from infra.deploy.actions import filled_in, line_of
from infra.deploy.names import Target
from infra.deploy.questions import all_probes
from infra.deploy.runner import Machine, attempt


class Verdict(NamedTuple):
    """What was found."""

    problems: list[str]
    warnings: list[str]


def ask_all(target: Target, machine: Machine) -> Verdict:
    """Ask everything, each question printed first."""
    found = Verdict([], [])
    answers = dict(target.options.variables)
    for probe in all_probes(target, answers):
        words = [filled_in(word, answers) for word in probe.words]
        finished = attempt(machine, words, is_asked=True)
        if probe.name:
            answers[probe.name] = "" if finished.status else finished.output.strip()
        if finished.status and probe.doubt and "NotFound" not in finished.complaint:
            found.warnings.append(probe.doubt)
        else:
            told = found.warnings if probe.is_warning else found.problems
            told.extend(probe.judge(finished))
        if probe.name == "SUBSCRIPTION_ID" and not answers["SUBSCRIPTION_ID"]:
            break
    return found


def print_all(target: Target) -> None:
    """Print the questions only, as a script."""
    for probe in all_probes(target, {}):
        line = line_of(probe.words)
        print(f"{probe.name}=$({line})" if probe.name else line)
