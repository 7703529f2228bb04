"""Microsoft's own parser of Kusto queries, run by node.

``bash .ci/kusto.sh`` fetches the npm package; KUSTO_LANGUAGE_SERVICE is its folder,
where it is elsewhere. Schemas: the columns that Application Insights and Log Analytics
document.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.checkout import CHECKOUT

_BIND = Path(__file__).with_name("bind.js")
_PACKAGE = "node_modules/@kusto/language-service-next"
# Queries of documents: blocks, and what commands ask the log.
_BLOCK = re.compile(
    r"^ *```kusto\n(.*?)^ *```$|ask_log '([^']+)'", re.MULTILINE | re.DOTALL
)
NOT_FOUND = (
    "no parser of Kusto was found: run `bash .ci/kusto.sh`, which needs node and npm, "
    "or set KUSTO_LANGUAGE_SERVICE"
)
_COMMON = """timestamp: datetime, operation_Name: string, operation_Id: string,
  operation_ParentId: string, session_Id: string, user_Id: string, appId: string,
  appName: string, iKey: string, sdkVersion: string, itemId: string, itemType: string,
  itemCount: int, cloud_RoleName: string, cloud_RoleInstance: string,
  customDimensions: dynamic, customMeasurements: dynamic, _ResourceId: string"""
_WORKSPACE = """TimeGenerated: datetime, OperationName: string, OperationId: string,
  ParentId: string, AppRoleName: string, AppRoleInstance: string, AppVersion: string,
  Properties: dynamic, Measurements: dynamic, ItemCount: int, SDKVersion: string,
  Type: string, TenantId: string, _ResourceId: string, ResourceGUID: string,
  _BilledSize: real, _IsBillable: string"""
# https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
SCHEMAS = {
    "traces": f"({_COMMON}, message: string, severityLevel: int)",
    "requests": f"""({_COMMON}, id: string, source: string, name: string, url: string,
      success: bool, resultCode: string, duration: real, performanceBucket: string)""",
    # Of Resource Graph, which a parameter of the workbook asks.
    "resources": """(id: string, name: string, type: string, location: string,
      resourceGroup: string, subscriptionId: string, tags: dynamic,
      properties: dynamic)""",
    "AppTraces": f"({_WORKSPACE}, Message: string, SeverityLevel: int)",
    "AppRequests": f"""({_WORKSPACE}, Id: string, Source: string, Name: string,
      Url: string, Success: bool, ResultCode: string, DurationMs: real)""",
    # https://learn.microsoft.com/azure/azure-monitor/reference/tables/usage
    "Usage": """(TimeGenerated: datetime, StartTime: datetime, EndTime: datetime,
      DataType: string, Quantity: real, QuantityUnit: string, IsBillable: bool,
      Solution: string, ResourceUri: string, Type: string, TenantId: string)""",
    # https://learn.microsoft.com/azure/azure-monitor/reference/tables/functionapplogs
    "FunctionAppLogs": """(TimeGenerated: datetime, AppName: string, Category: string,
      EventName: string, ExceptionDetails: string, FunctionName: string,
      HostInstanceId: string, Level: string, Message: string, RoleInstance: string,
      _ResourceId: string, _BilledSize: real, Type: string, TenantId: string)""",
}


def find_parser() -> Path | None:
    """Return the folder of the npm package, if it and node are there."""
    chosen = os.environ.get("KUSTO_LANGUAGE_SERVICE")
    folder = Path(chosen) if chosen else CHECKOUT / ".ci" / "kusto" / _PACKAGE
    is_there = (folder / "bridge.min.js").exists() and shutil.which("node")
    return folder if is_there else None


def bind(parser: Path, queries: Mapping[str, str]) -> dict[str, Any]:
    """Parse and bind queries: ``problems`` and ``columns`` of each, by name."""
    asked = {"package": str(parser), "tables": SCHEMAS, "queries": queries}
    finished = subprocess.run(
        ["node", _BIND],  # noqa: S607 - the node that find_parser found
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def blocks_of(documents: Iterable[Path]) -> dict[str, str]:
    """Return the queries in documents, by document and number."""
    return {
        f"{document.name} {number}": block or asked
        for document in documents
        for number, (block, asked) in enumerate(
            _BLOCK.findall(document.read_text("utf-8")), 1
        )
    }
