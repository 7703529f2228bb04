"""Check the description of an environment, infra/params/<environment>.json, by itself.

``python infra/check_environment.py prod`` prints every problem at once, in sentences
for people, and ends with 1 if there is one. It needs the standard library only, asks
nobody and changes nothing; deploy.sh, ``make lint`` and the tests run it.
``--records`` prints what deploy.sh has to know, one record a line.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    # Started as a file, its own folder is on the path and the checkout is not.
    sys.path[0] = str(CHECKOUT)

from infra.checks import limits
from infra.checks.app_settings import check_app_settings, check_settings
from infra.checks.domain import check_domain
from infra.checks.notes import Json, Notes
from infra.checks.regions import check_names, check_regions
from infra.checks.rules import check_rules
from shared.core.clouds import CLOUDS
from shared.core.strict_json import StrictJsonError, read_value

PARAMS = CHECKOUT / "infra" / "params"
MEMBERS = ("workload", "regions", "domain", "rules", "settings")


class Findings(NamedTuple):
    """The outcome: what the file says, and what is wrong with it.

    Attributes:
        description: meaningful only where there are no problems.
        problems: ``place: sentence`` each.
        has_all_checks: whether the app's own reader was there to judge the settings.
    """

    description: Json
    problems: list[str]
    has_all_checks: bool = True


def check_environment(environment: str, params: Path = PARAMS) -> Findings:
    """Read and check the description of an environment; raises nothing."""
    if not limits.ENVIRONMENT.fullmatch(environment):
        return Findings(None, ["the name must be 2 to 8 lower-case letters, digits."])
    try:
        data = (params / f"{environment}.json").read_bytes()
    except OSError:
        known = ", ".join(sorted(file.stem for file in params.glob("*.json")))
        return Findings(None, [f"there is no such file; there are: {known}."])
    try:
        description = read_value(data)
    except StrictJsonError as error:
        return Findings(None, [f"the file is not JSON: {_explain(error.__cause__)}."])
    return check_description(environment, description)


def check_description(environment: str, description: Json) -> Findings:
    """Check a description that is already read."""
    notes = Notes()
    if type(description) is not dict:
        notes.problems.append(f"must be an object with {', '.join(MEMBERS)}.")
        return Findings(description, notes.problems)
    notes.members(description, MEMBERS, required=MEMBERS)
    regions = description.get("regions", [])
    if "regions" in description:
        check_regions(regions, notes)
    if "workload" in description:
        check_names(description["workload"], environment, regions, notes)
    check_domain(description.get("domain"), regions, notes)
    check_rules(description.get("rules", []), regions, notes)
    check_settings(description.get("settings", {}), notes)
    if notes.problems:
        return Findings(description, notes.problems)
    has_all_checks = check_app_settings(description, notes)
    return Findings(description, notes.problems, has_all_checks)


def records(description: Mapping[str, Json]) -> Iterator[str]:
    """Yield what deploy.sh has to know: a word for what it is, then values."""
    yield f"workload {description['workload']}"
    # As the app reads them: trimmed, and a blank one counts as absent.
    settings = {k: v.strip() for k, v in description["settings"].items() if v.strip()}
    if _needs_federation(settings):
        cloud = CLOUDS[settings.get("CALLING_CLOUD", "public")]
        yield f"federation {cloud.login_url} {cloud.federation_audience}"
    domain = description["domain"]
    if domain:
        yield f"domain {domain['zone']} {domain['globalLabel']} {domain['keyVaultId']}"
    for region in description["regions"]:
        yield f"region {region['code']} {region['location']}"


def _needs_federation(settings: Mapping[str, str]) -> bool:
    """Tell whether the app gets tokens for Graph with the identity of the region."""
    return (
        settings.get("CALLING_ANSWER", "true").lower() == "true"
        and settings.get("CALLING_CREDENTIAL", "managed-identity") == "managed-identity"
    )


def _explain(cause: BaseException | None) -> str:
    if isinstance(cause, JSONDecodeError):
        return f"line {cause.lineno}, column {cause.colno}: {cause.msg}"
    return str(cause)


def main(arguments: list[str]) -> int:
    """Print problems or records; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", help="such as prod")
    parser.add_argument("--records", action="store_true", help="for deploy.sh")
    options = parser.parse_args(arguments)
    file = f"infra/params/{options.environment}.json"
    findings = check_environment(options.environment)
    for problem in findings.problems:
        print(f"{file}: {problem}", file=sys.stderr)
    if findings.problems:
        return 1
    if not findings.has_all_checks:
        sentence = "the values of settings were not checked; that needs `make setup`."
        print(f"{file}: {sentence}", file=sys.stderr)
    if options.records:
        print("\n".join(records(findings.description)))
    else:
        count = len(findings.description["regions"])
        print(f"{file}: {count} region{'s' * (count > 1)}, all good.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
