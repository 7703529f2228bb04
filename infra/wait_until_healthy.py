"""Wait until a region is healthy, for deploy.sh: the gate of the roll-out.

``python infra/wait_until_healthy.py --region CODE URL`` ends with 0 once the region has
answered three times in a row that it can take calls: 200, its own code, no problems and
no warnings. A warning is a setting that the published code does not know. It waits
through any other answer, because an instance of the old version may still reply. When
the time is over it ends with 1 and prints the last answer. Standard library only.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import urlopen

IN_A_ROW = 3
_TIMEOUT_SECONDS = 10
_MAX_BYTES = 64 * 1024


def complaint(url: str, region: str) -> str:
    """Ask for health once; return what is wrong with the answer, or an empty string."""
    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - https
            status, body = answer.status, answer.read(_MAX_BYTES)
    except HTTPError as error:
        with error:
            status, body = error.code, error.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        return f"no answer: {error}"
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    if type(report) is not dict or "status" not in report:
        return f"{status}, and no health report: is the code published?"
    return _judge(status, report, region)


def _judge(status: int, report: dict[str, object], region: str) -> str:
    for name in ("problems", "warnings"):
        if report.get(name) != []:
            return f"{status}, {name}: {report.get(name)}"
    if report.get("region") != region:
        return f"{status}, but it says it is region {report.get('region')!r}"
    return "" if status == 200 else f"{status}, keys: {report.get('keys')}"  # noqa: PLR2004


def wait(
    ask: Callable[[], str], *, seconds: float, interval_seconds: float
) -> tuple[bool, str]:
    """Ask until three answers in a row are good; return success and the last complaint.

    It asks at least ``IN_A_ROW`` times, however little time there is.
    """
    deadline = time.monotonic() + seconds
    in_a_row, last = 0, ""
    while True:
        found = ask()
        in_a_row = 0 if found else in_a_row + 1
        if in_a_row == IN_A_ROW:
            return True, ""
        if found and found != last:
            print(f"  not yet: {found}", flush=True)
            last = found
        if found and time.monotonic() > deadline:
            return False, found
        time.sleep(interval_seconds)


def main(arguments: list[str]) -> int:
    """Wait; return 0 if the region is healthy."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="of the health report, https")
    parser.add_argument("--region", required=True, help="code that it must name")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--interval-seconds", type=float, default=5)
    options = parser.parse_args(arguments)
    if not options.url.startswith("https://"):
        parser.error("the URL must be https")
    is_healthy, last = wait(
        lambda: complaint(options.url, options.region),
        seconds=options.seconds,
        interval_seconds=options.interval_seconds,
    )
    if is_healthy:
        print(f"  {options.region} is healthy.")
        return 0
    print(f"{options.region} is not healthy: {last}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
