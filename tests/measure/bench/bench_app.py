"""The app of the product and an empty function, which is the floor of (a) to (f).

The worker library loads it in place of function_app.py.
"""

import azure.functions as func

from function_app import app


@app.route(route="empty", methods=["POST"])
async def empty(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Do nothing, so that only the worker library's own cost is left."""
    return func.HttpResponse(status_code=202)
