"""Wait until a region is healthy, for deploy.sh: the gate of the roll-out.

``python infra/wait_until_healthy.py --region CODE --build ID URL`` ends with 0 once the
region has answered three times in a row that it can take calls: 200, its own code, the
build that was published, no problems and no warnings. Without ``--region``, as for the
host that goes through Traffic Manager, any region may answer. A warning tells what
looks wrong in the settings, such as one that the published code does not know. Notices
are printed and do not keep the gate closed. It waits through any other answer, because
an instance of the old version may still reply. When the time is over it ends with 1 and
prints the last answer. Standard library only.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

IN_A_ROW = 3
_TIMEOUT_SECONDS = 10
_MAX_BYTES = 64 * 1024


class Answer(NamedTuple):
    """What a health report says: what is wrong, if anything, and its notices."""

    complaint: str
    notices: Sequence[object] = ()


def ask(url: str, region: str, build: str) -> Answer:
    """Ask for health once; an empty ``region`` or ``build`` may be any."""
    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - https
            status, body = answer.status, answer.read(_MAX_BYTES)
    except HTTPError as error:
        with error:
            status, body = error.code, error.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        return Answer(f"no answer: {error}")
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    if type(report) is not dict or "status" not in report:
        return Answer(f"{status}, and no health report: is the code published?")
    notices = report.get("notices")
    return Answer(
        _judge(status, report, region, build), notices if type(notices) is list else ()
    )


def _judge(status: int, report: dict[str, object], region: str, build: str) -> str:
    for name in ("problems", "warnings"):
        if report.get(name) != []:
            return f"{status}, {name}: {report.get(name)}"
    if region and report.get("region") != region:
        return f"{status}, but it says it is region {report.get('region')!r}"
    if build and report.get("build") != build:
        return f"{status}, but build {report.get('build')!r} and not {build}"
    if status == 200:  # noqa: PLR2004
        return ""
    names = [name for name in ("keys", "answering") if name in report]
    return f"{status}, {', '.join(f'{name}: {report[name]}' for name in names)}"


def wait(
    look: Callable[[], Answer], *, seconds: float, interval_seconds: float
) -> tuple[bool, Answer]:
    """Ask until three answers in a row are good; return success and the last answer.

    It asks at least ``IN_A_ROW`` times, however little time there is.
    """
    deadline = time.monotonic() + seconds
    in_a_row, last = 0, ""
    while True:
        answer = look()
        found = answer.complaint
        in_a_row = 0 if found else in_a_row + 1
        if in_a_row == IN_A_ROW:
            return True, answer
        if found and found != last:
            print(f"  not yet: {found}", flush=True)
            last = found
        if found and time.monotonic() > deadline:
            return False, answer
        time.sleep(interval_seconds)


def main(arguments: list[str]) -> int:
    """Wait; return 0 if the region is healthy."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="of the health report, https")
    parser.add_argument("--region", default="", help="code that it must name")
    parser.add_argument("--build", default="", help="build id that it must name")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--interval-seconds", type=float, default=5)
    options = parser.parse_args(arguments)
    if not options.url.startswith("https://"):
        parser.error("the URL must be https")
    is_healthy, last = wait(
        lambda: ask(options.url, options.region, options.build),
        seconds=options.seconds,
        interval_seconds=options.interval_seconds,
    )
    for notice in last.notices:
        print(f"  notice: {notice}")
    who = options.region or "the global host"
    if is_healthy:
        print(f"  {who} is healthy.")
        return 0
    print(f"{who} is not healthy: {last.complaint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
