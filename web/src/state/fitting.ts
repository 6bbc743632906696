/** Which ports the wire that is being drawn fits into, and why not into the others. */

import type { Workflow } from "../graph/document";
import { Wiring, type LinkAnswer } from "../graph/wiring";
import type { OpenWire, PortRef } from "./canvas";
import type { EditorState } from "./store";
import { activeTab } from "./tabs";
import { say } from "../words";

interface Known {
  readonly wire: OpenWire;
  readonly workflow: Workflow;
  readonly wiring: Wiring;
  readonly answers: Map<string, string>;
}

/** Answers for the ports of one store. Those for one wire in one document are found once. */
export class Fitting {
  private known: Known | null = null;

  /** Null while no wire is drawn, "ok" where it fits, else the reason why it does not. */
  verdictOn(state: EditorState, port: PortRef): string | null {
    const wire = state.openWire;
    if (wire === null) return null;
    const { wiring, answers } = this.knownOf(state, wire);
    const key = `${port.node}\n${port.side}\n${port.name}`;
    const found = answers.get(key) ?? reason(wiring, wire.from, port);
    answers.set(key, found);
    return found;
  }

  private knownOf(state: EditorState, wire: OpenWire): Known {
    const { workflow, path } = activeTab(state);
    if (this.known?.wire === wire && this.known.workflow === workflow) return this.known;
    const wiring = new Wiring(workflow, path, state.catalogue);
    this.known = { wire, workflow, wiring, answers: new Map() };
    return this.known;
  }
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
