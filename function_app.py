"""Azure Functions entry point: translation between Functions and ``shared``.

Three routes and the warm-up function. No decision is made here, no setting is read and
nothing heavy is imported: the first request builds the service.
"""

from collections.abc import ItemsView, Iterator, Mapping

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from shared import service
from shared.core.transport import WebhookReply, WebhookRequest

# The calling platform authenticates with a token of its own in every POST; a function
# key could not be told to it.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="calls", methods=["POST"])
async def calls(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Take notifications on the calling webhook, the one registered on the bot."""
    return _Response(await service.receive(_to_request(req, context)))


@app.route(route="calls/{partition}", methods=["POST"])
async def callback(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Take the later notifications of an answered call on its ``callbackUri``."""
    partition = req.route_params["partition"]
    return _Response(await service.receive(_to_request(req, context, partition)))


@app.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - binding
    """Report health to Traffic Manager's probe and to people."""
    return _Response(await service.health())


@app.warm_up_trigger(arg_name="warm_up_context")
async def warmup(warm_up_context: WarmUpContext) -> None:  # noqa: ARG001 - binding
    """Load keys and libraries when Functions adds an instance.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-warmup: the
    function must have this name, and it does not run on restarts: nothing relies on it.
    """
    await service.warm_up()


def _to_request(
    req: func.HttpRequest, context: func.Context, partition: str | None = None
) -> WebhookRequest:
    return WebhookRequest(
        url=req.url,
        headers=req.headers,
        body=req.get_body(),
        partition=partition,
        invocation_id=context.invocation_id,
    )


class _Headers(Mapping[str, str]):
    """Response headers as the Functions library reads them, whatever the case.

    It looks for two names in every response, of which one is never there. To fill its
    own class and to miss a name in it costs 6 % of a request. What that class vets is
    vetted where replies are made, and each of them has a Content-Type.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        wanted = name.lower()
        for own_name, value in self._headers.items():
            if own_name.lower() == wanted:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def items(self) -> ItemsView[str, str]:
        return self._headers.items()


class _Response(func.HttpResponse):
    def __init__(self, reply: WebhookReply) -> None:
        super().__init__(reply.body, status_code=reply.status)
        self._headers = _Headers(reply.headers)

    @property
    def headers(self) -> _Headers:  # type: ignore[override]  # it needs no more
        return self._headers
