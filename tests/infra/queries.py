"""What queries of alerts may name: the tables of each scope, and their columns."""

import re

# A rule on a component knows its classic tables, one on a workspace the others.
# https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/usage
TABLES = {
    "components": {
        "traces": {
            *("timestamp", "message", "severityLevel", "itemCount", "itemId"),
            *("customDimensions", "operation_Name", "operation_Id", "cloud_RoleName"),
        },
        "requests": {
            *("timestamp", "name", "success", "resultCode", "duration", "itemCount"),
            *("url", "operation_Name", "operation_Id", "cloud_RoleName"),
        },
    },
    "workspaces": {
        "Usage": {
            *("TimeGenerated", "StartTime", "EndTime", "DataType", "Solution"),
            *("IsBillable", "Quantity", "QuantityUnit"),
        },
    },
}
_WORDS = {
    *("and", "or", "not", "has", "in", "by", "where", "extend", "summarize"),
    *("mv", "expand", "project", "order", "asc", "desc", "startswith", "endswith"),
    *("between", "distinct", "join", "kind", "let", "limit", "on", "top", "union"),
}
# Texts, and what is below a value (`line.status`), are no columns.
_NOT_COLUMNS = re.compile(r"\"[^\"]*\"|\.\w+")
_MADE = re.compile(r"\b([A-Za-z_]\w*)\s*=(?![=~])")
_NAMES = re.compile(r"\b([A-Za-z_]\w*)\b(?!\s*\()")


def table_and_columns(query: str) -> tuple[str, set[str]]:
    """Return the table of a query, and the columns that the query does not make."""
    without_comments = re.sub(r"^//.*\n", "", query, flags=re.MULTILINE)
    table, _, rest = without_comments.partition("\n")
    text = _NOT_COLUMNS.sub("", rest)
    names = {*_NAMES.findall(text)} - {*_MADE.findall(text)} - _WORDS
    return table, names
