"""The report: what operators see in Azure, from log lines on this machine.

The queries are those of infra/queries, which the workbook and the alerts use, too.
``report`` runs them over the lines of a file.
"""
