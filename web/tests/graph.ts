/** What the tests of the graph share: the catalogue of today, and what every document must keep. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Catalogue } from "../src/graph/catalogue";
import { catalogueFrom } from "../src/graph/catalogue";
import type { Graph, Workflow } from "../src/graph/document";
import { placesOf } from "../src/graph/ends";
import { definitionPath, graphAt, graphPaths, nodesOf } from "../src/graph/graphs";
import { readJson } from "../src/graph/json";
import { readWorkflow } from "../src/graph/read";
import { at, entriesOf, has, keysOf } from "../src/graph/tables";
import { linksIn } from "../src/graph/values";

export const catalogue: Catalogue = catalogueFrom(
  readJson(readFileSync(join(import.meta.dirname, "catalogue.fixture.json"), "utf8")),
);

export function shipped(name: string): Workflow {
  return readWorkflow(
    readFileSync(join(import.meta.dirname, `../../workflows/${name}.json`), "utf8"),
  );
}

/** Everything that hangs in the air in a document. */
export function loose(workflow: Workflow): string[] {
  return graphPaths(workflow).flatMap((path) => {
    const graph = graphAt(workflow, path);
    return graph === undefined ? [] : looseIn(workflow, path, graph);
  });
}

function looseIn(workflow: Workflow, path: Parameters<typeof graphAt>[1], graph: Graph): string[] {
  const found: string[] = [];
  const known = (id: string, what: string): void => {
    if (!has(graph.nodes, id)) found.push(`${path.join("/")}: ${what} ${id}`);
  };
  for (const [id, node] of nodesOf(graph)) {
    for (const { $link } of linksIn(node.inputs)) {
      known($link[0], `link of ${id} to`);
      const source = at(graph.nodes, $link[0]);
      const where = source && definitionPath(workflow, path, source.graph);
      if (where !== undefined && !has(graphAt(workflow, where)?.outputs, $link[1])) {
        found.push(`${path.join("/")}: link of ${id} to ${$link.join(".")}`);
      }
    }
    const where = definitionPath(workflow, path, node.graph);
    if (where === undefined) {
      if (node.graph !== undefined) found.push(`${path.join("/")}: ${id} names ${node.graph}`);
      continue;
    }
    const inputs = graphAt(workflow, where)?.inputs;
    for (const name of keysOf(node.inputs)) {
      if (!has(inputs, name) && name !== "times")
        found.push(`${path.join("/")}: ${id} gives ${name}`);
    }
  }
  for (const [name, end] of entriesOf(graph.inputs)) {
    placesOf(end).forEach(({ node }) => known(node, `input ${name} of`));
  }
  for (const [name, end] of entriesOf(graph.outputs)) known(end.node, `output ${name} of`);
  for (const id of keysOf(graph.view?.nodes)) known(id, "place of");
  for (const dot of graph.view?.reroutes ?? []) {
    known(dot.node, `reroute ${dot.id} of`);
    if (linksIn(at(at(graph.nodes, dot.node)?.inputs, dot.input)).length === 0) {
      found.push(`${path.join("/")}: reroute ${dot.id} without a wire`);
    }
  }
  return found;
}
