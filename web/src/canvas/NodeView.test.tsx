// @vitest-environment jsdom
import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { readWorkflow } from "../graph/read";
import { FlowBuilder } from "./flow";
import { NodeView } from "./NodeView";
import { measuresOf, portsIn } from "./shape";

afterEach(cleanup);

it("has every port while it is collapsed, so that keys reach them all", () => {
  const type = [...catalogue.types.values()].find(({ inputs }) => inputs.length > 3);
  const workflow = readWorkflow(
    JSON.stringify({
      darkroom: 1,
      name: "Folded",
      nodes: { one: { type: type?.name, version: type?.version, inputs: {} } },
      view: { nodes: { one: { x: 0, y: 0, collapsed: true } } },
    }),
  );
  const [item] = new FlowBuilder().build({
    workflow,
    path: [],
    graph: workflow,
    catalogue,
    measures: measuresOf("comfortable", 1),
    selected: new Set(),
    pictures: new Set(),
  }).items;
  if (item?.type !== "node") throw new Error("There is no node.");
  const { container } = render(
    <NodeView
      id={item.id}
      type="node"
      data={item.data}
      zIndex={0}
      positionAbsoluteX={0}
      positionAbsoluteY={0}
      isConnectable
      selectable
      deletable
      draggable
      selected={false}
      dragging={false}
    />,
  );
  const found = [...container.querySelectorAll<HTMLElement>("[data-port]")];
  const wanted = portsIn(item.data.shape).map(({ side, name }) => `${side}:${name}`);
  expect(wanted.length).toBeGreaterThan(4);
  expect(found.map((port) => port.dataset["port"])).toEqual(wanted);
  for (const port of found) {
    port.focus();
    expect(document.activeElement).toBe(port);
  }
});
