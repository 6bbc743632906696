/** Which ports the wire that is being drawn fits into, and why not into the others. */

import type { Workflow } from "../graph/document";
import { Wiring, type LinkAnswer } from "../graph/wiring";
import type { OpenWire, PortRef } from "../state/canvas";
import type { EditorState } from "../state/store";
import { activeTab } from "../state/tabs";
import { say } from "../words";

/** The answers for one wire in one document are found once. */
let known: {
  readonly wire: OpenWire;
  readonly workflow: Workflow;
  readonly wiring: Wiring;
  readonly answers: Map<string, string>;
} | null = null;

/** Null while no wire is drawn, "ok" where it fits, else the reason why it does not. */
export function verdictOn(state: EditorState, port: PortRef): string | null {
  const wire = state.openWire;
  if (wire === null) return null;
  const { workflow, path } = activeTab(state);
  if (known?.wire !== wire || known.workflow !== workflow) {
    const wiring = new Wiring(workflow, path, state.catalogue);
    known = { wire, workflow, wiring, answers: new Map() };
  }
  const { wiring, answers } = known;
  const key = `${port.node}\n${port.side}\n${port.name}`;
  const found = answers.get(key) ?? reason(wiring, wire.from, port);
  answers.set(key, found);
  return found;
}

function reason(wiring: Wiring, from: PortRef, to: PortRef): string {
  if (from.side === to.side) return say("wire.same_side");
  const [output, input] = from.side === "out" ? [from, to] : [to, from];
  return told(
    wiring.canLink(
      { node: output.node, output: output.name },
      { node: input.node, input: input.name },
    ),
  );
}

function told(answer: LinkAnswer): string {
  if (answer.ok) return "ok";
  switch (answer.reason) {
    case "self":
      return say("wire.same_node");
    case "cycle":
      return say("wire.cycle");
    case "absent":
      return say("wire.unknown");
    case "type":
      return say("wire.type", { from: answer.given, to: answer.wanted });
  }
}
