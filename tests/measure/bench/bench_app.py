"""The product's app with one function more: the empty one, for the floor.

Loaded by the worker library in place of function_app.py.
"""

import azure.functions as func

from function_app import app


@app.route(route="empty", methods=["POST"])
async def empty(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Do nothing: what is left is the worker library's own cost."""
    return func.HttpResponse(status_code=202)
