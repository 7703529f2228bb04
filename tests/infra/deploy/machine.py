"""A machine for the deploy program whose commands are functions, not processes."""

from collections.abc import Callable, Sequence

from infra.deploy.runner import Finished
from tests.infra.deploy import azure_commands
from tests.infra.deploy.azure import VERIFICATION_ID, Azure, RefusedError

# Its commands are registered.
__all__ = ["Machine", "azure_commands"]
PYTHON = ".venv/bin/python"
SHOWN = (
    "REGION",
    "BIND_HOST_NAMES",
    "BOT_NAME",
    "BOT_RESOURCE_GROUP",
    "DRAINED_REGIONS",
    "CUSTOM_DOMAIN_VERIFICATION_ID",
)
_GATE_SECONDS = 300
# A run that never ends would end no test.
_MAX_CALLS = 5_000


class Machine:
    """Where the commands of one run go.

    Attributes:
        calls: the commands so far; questions of the preflight are among them.
        fail: a call that contains this text fails.
        interrupt: called before and after each command; may raise.
    """

    def __init__(self, azure: Azure, variables: dict[str, str]) -> None:
        self.calls: list[str] = []
        self.fail = ""
        self.build = "0a1b2c3d4e5f.9f8e7d6c5b4a"
        self.missing: tuple[str, ...] = ()
        self.interrupt: Callable[[int, str], None] = lambda *_: None
        self._azure = azure
        self._variables = variables
        self._is_built = False

    def sleep(self, seconds: float) -> None:
        self.calls.append(f"sleep {seconds}")
        assert len(self.calls) < _MAX_CALLS
        self._azure.clock += seconds

    def run(self, words: Sequence[str], folder: str, *, is_asked: bool) -> Finished:  # noqa: ARG002
        variables, words = self._split(words)
        shown = [f"{name}={variables[name]}" for name in SHOWN if name in variables]
        call = " ".join([*shown, *words])
        self.calls.append(call)
        number = len(self.calls)
        self.interrupt(number, "before")
        if words[0] in self.missing:
            return Finished(127, "", f"{words[0]}: No such file or directory")
        if self.fail and self.fail in call:
            return Finished(1, "", "ERROR: the test wants this call to fail")
        try:
            printed = self._answer(words, folder, {**self._variables, **variables})
        except RefusedError as error:
            return Finished(1, "", f"ERROR: {error}")
        self.interrupt(number, "after")
        return Finished(0, f"{printed}\n" if printed else "")

    @staticmethod
    def _split(words: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
        if words[0] != "env":
            return {}, words
        count = sum("=" in word and word.split("=")[0].isupper() for word in words)
        pairs = [word.partition("=") for word in words[1 : count + 1]]
        return {name: value for name, _, value in pairs}, words[count + 1 :]

    def _answer(  # noqa: PLR0911 - one for each command
        self, words: Sequence[str], folder: str, variables: dict[str, str]
    ) -> str:
        match words[0]:
            case "az":
                return self._azure.run(words[1:], variables)
            case "func":
                return self._func(words, folder)
            case "dig":
                return self._dig(words)
            case "true":
                return ""
            case "date":
                return str(int(self._azure.clock))
            case "infra/package.sh":
                self._is_built = True
                return ""
            case "cat":
                return self.build if self._is_built else ""
            case _:
                return self._gate(words)

    def _func(self, words: Sequence[str], folder: str) -> str:
        """Publish, as Core Tools do."""
        azure = self._azure
        if words[1] == "--version":
            return azure.versions[2]
        code = words[4].removeprefix("func-")
        app = azure.apps[code]
        age = azure.clock - app.made_at
        if age < azure.lag_seconds:
            raise RefusedError(f"Can't find app with name {words[4]!r}")
        if age < azure.role_seconds:
            raise RefusedError("Server Response: Forbidden")
        if folder != "build/app" or not self._is_built:
            raise RefusedError("there is no package here")
        azure.note_change(code)
        if azure.quiet_failures:
            azure.quiet_failures -= 1
        else:
            app.build = self.build
        return "Remote build was not asked for."

    def _dig(self, words: Sequence[str]) -> str:
        azure = self._azure
        if words[1] == "-v":
            return ""
        if "NS" in words:
            return "ns1-01.azure-dns.com." if azure.is_delegated else ""
        if azure.dns_failures:
            azure.dns_failures -= 1
            raise RefusedError("no servers could be reached")
        azure.dns_asked += 1
        is_there = 0 <= azure.dns_after < azure.dns_asked
        return f'"{VERIFICATION_ID}"' if is_there else ""

    def _gate(self, words: Sequence[str]) -> str:
        azure = self._azure
        expected = dict(zip(words[2:-1:2], words[3:-1:2], strict=True))
        build, code = expected.get("--build"), expected.get("--region")
        for _ in range(2):
            online = [each for each in azure.endpoints if azure.is_online(each)]
            asked = [code] if code else online
            wrong = [self._complaint(each, build) for each in asked]
            if asked and not any(wrong):
                return f"{code or 'the global host'} is healthy."
            azure.clock += _GATE_SECONDS
        raise RefusedError(f"not healthy: {', '.join(filter(None, wrong)) or 'nobody'}")

    def _complaint(self, code: str, build: str | None) -> str:
        if not self._azure.is_up(code):
            return self._azure.broken.get(code, "404")
        found = self._azure.apps[code].build
        return f"build {found}" if build not in {None, found} else ""
