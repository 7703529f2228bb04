"""A bot without the product: it asks the simulated Graph for what a table says."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import requests

from tests.simulator.caller.bot_service import plan_of
from tests.simulator.caller.call import BotCall
from tests.simulator.platform.calls import RetryPolicy
from tests.simulator.platform.conversation import Conversation
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Transport
from tests.simulator.services.call_control import CONTROLS
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import APP_ID
from tests.support.servers import Peer, Request, ScriptedServer, reply

type Asked = tuple[str, Any]

CDN = "https://cdn.example.org"
SILENT_MEDIA = {
    "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
    "preFetchMedia": [],
}


def play(*names: str, context: str | None = None) -> Asked:
    prompts = [prompt(name) for name in names]
    body: dict[str, Any] = {"prompts": prompts}
    return "playPrompt", body if context is None else {**body, "clientContext": context}


def prompt(name: str) -> Mapping[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.mediaPrompt",
        "mediaInfo": {"uri": f"{CDN}/{name}.wav"},
    }


def person(known_as: str) -> dict[str, Any]:
    return {"identity": {"user": {"id": known_as}}}


class ToyBot(Neighbours):
    """Answers calls, and does what ``react`` says about everything else.

    Attributes:
        react: gets the name of an event and its ``resourceData``; returns what to ask
            Graph for. Names are a state, ``tone tone1``, ``playPrompt completed``.
        seen: those names, in order.
        replies: status of each of Graph's replies.
        is_once: react to the first ``established`` only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.react: Callable[[str, Any], list[Asked]] = lambda _name, _data: []
        self.on_incoming: Callable[[], Asked] = self.answer
        self.seen: list[str] = []
        self.data: list[Any] = []
        self.replies: list[int] = []
        self.is_once = True
        self._established: set[str] = set()
        self.webhook = ScriptedServer(self._take, self.authority.server_context())

    def start(self, stack: ExitStack) -> None:
        super().start(stack)
        stack.enter_context(self.webhook)
        self.journal = Journal()
        self.platform = CallingPlatform(
            webhook=f"https://{self.webhook.host}/api/calls",
            steps=Steps(
                transport=Transport(None, self.authority.client_context()),
                tokens=self.tokens,
                journal=self.journal,
                region_of_host=lambda _url: None,
                source_address="127.0.0.1",
            ),
            graph=self.graph,
            retries=RetryPolicy.none(),
        )

    def call(self, **members: Any) -> BotCall:
        conversation = Conversation(plan_of(**members), self.platform, self.graph)
        return BotCall(conversation, lambda _call_id: [])

    def answer(self) -> Asked:
        return "answer", {
            "callbackUri": f"https://{self.webhook.host}/api/calls/default",
            "acceptedModalities": ["audio"],
            "mediaConfig": SILENT_MEDIA,
        }

    def _take(self, request: Request, _peer: Peer) -> bytes:
        [item] = request.json()["value"]
        data = item.get("resourceData")
        call_id = item["resourceUrl"].split("/")[3]
        name = _name_of(item, data)
        is_new = name != "established" or call_id not in self._established
        self._established |= {call_id} if name == "established" else set()
        self.seen.append(name)
        self.data.append(data)
        if name == "incoming":
            self._ask(call_id, *self.on_incoming())
        elif is_new or not self.is_once:
            for asked in self.react(name, data):
                self._ask(call_id, *asked)
        return reply(202)

    def _ask(self, call_id: str, name: str, body: Any) -> None:
        control = CONTROLS[name]
        url = f"{self.graph.graph_url}/communications/calls/{call_id}{control.path}"
        replied = requests.request(
            control.method,
            url,
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            verify=str(self.authority.bundle),
            timeout=10,
        )
        self.replies.append(replied.status_code)

    @property
    def _token(self) -> str:
        found = requests.post(
            f"{self.entra.url}/{self.tenant_id}/oauth2/v2.0/token",
            data={
                "client_id": APP_ID,
                "client_secret": self.registration.secret,
                "grant_type": "client_credentials",
                "scope": f"{self.graph.url}/.default",
            },
            verify=str(self.authority.bundle),
            timeout=10,
        )
        return str(found.json()["access_token"])


def _name_of(item: Any, data: Any) -> str:
    if isinstance(data, list):
        return "roster"
    if "toneInfo" in data:
        return f"tone {data['toneInfo']['tone']}"
    if "/operations/" in item["resourceUrl"]:
        kind = data["@odata.type"].rpartition(".")[2].removesuffix("Operation")
        return f"{kind} {data['status']}"
    if "resultInfo" in data and data.get("state") == "established":
        return "transfer failed"
    if data.get("state") == "established" and "mediaState" not in data:
        return "established without media"
    return str(data.get("state", item["changeType"]))
