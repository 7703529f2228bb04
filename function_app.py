"""Azure Functions entry point: translation between Functions and ``shared``.

Three routes and the warm-up function. No decision is made here, no setting is read and
nothing heavy is imported: the first request builds the service.
"""

import time

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from shared import service
from shared.core.webhook import WebhookReply, WebhookRequest

# The calling platform sends a token of its own; it could not be told a function key.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="calls", methods=["POST"])
async def calls(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Take notifications on the calling webhook, the one registered on the bot."""
    return _to_response(await service.receive(_to_request(req, context)))


@app.route(route="calls/{partition}", methods=["POST"])
async def callback(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Take the later notifications of an answered call on its ``callbackUri``."""
    partition = req.route_params["partition"]
    return _to_response(await service.receive(_to_request(req, context, partition)))


@app.route(route="health", methods=["GET", "HEAD"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Report health to probes, other regions and people; HEAD without a body."""
    reply = await service.health(req.headers)
    return _to_response(reply if req.method == "GET" else reply._replace(body=None))


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
    now = time.monotonic()
    parts = req.url, req.headers, req.get_body(), partition, context.invocation_id
    return WebhookRequest(*parts, received_at=now)


def _to_response(reply: WebhookReply) -> func.HttpResponse:
    return func.HttpResponse(
        reply.body, status_code=reply.status, headers=reply.headers
    )
