"""An app that fetches the signing keys and redirects, which is the floor of (j).

The worker library loads it in place of function_app.py.
"""

import asyncio
import os

import azure.functions as func
import requests

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="calls", methods=["POST"])
async def calls(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Redirect once the keys have been fetched; check nothing."""
    await asyncio.to_thread(_fetch_keys)
    location = "https://sea.calls.example.org/api/calls?hop=1"
    return func.HttpResponse(status_code=302, headers={"Location": location})


def _fetch_keys() -> object:
    """Fetch the OpenID configuration and the key set that it names."""
    with requests.Session() as session:
        url = os.environ["CALLING_OPENID_CONFIGURATION_URL"]
        configuration = session.get(url, timeout=5).json()
        return session.get(configuration["jwks_uri"], timeout=5).json()
