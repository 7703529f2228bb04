// Parses and binds queries with Microsoft's own library for Kusto.
//
// Standard input is JSON: {"package": the folder of the library, "tables": {name:
// schema}, "queries": {name: text}}. Standard output is JSON: {name: {"problems":
// [texts], "columns": [names]}}.
"use strict";
const { readFileSync } = require("node:fs");

const asked = JSON.parse(readFileSync(0, "utf8"));
require(`${asked.package}/bridge.min.js`);
require(`${asked.package}/Kusto.Language.Bridge.min.js`);
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const tables = Object.entries(asked.tables).map(([name, schema]) =>
  Symbols.TableSymbol.From(schema).WithName(name),
);
const database = new Symbols.DatabaseSymbol.ctor("telemetry", tables);
const globals = GlobalState.Default.WithDatabase(database);

function toArray(list) {
  return Array.from({ length: list.Count }, (_, at) => list.getItem(at));
}

function describe(text, problem) {
  const before = text.slice(0, problem.Start).split("\n");
  const place = `${before.length}:${before.at(-1).length + 1}`;
  return `${place}: ${problem.Severity}: ${problem.Message}`;
}

function bind(text) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const result = code.ResultType;
  return {
    problems: toArray(code.GetDiagnostics()).map((one) => describe(text, one)),
    columns: result?.Columns ? toArray(result.Columns).map((one) => one.Name) : [],
  };
}

const answers = Object.entries(asked.queries).map(([name, text]) => [name, bind(text)]);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)));
