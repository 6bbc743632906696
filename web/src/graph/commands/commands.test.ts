import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipFrom, clipText, copied } from "../clipboard";
import type { Json, Workflow } from "../document";
import { graphAt, graphPaths, nodeIds } from "../graphs";
import { type GraphPath, nodeId, typeName } from "../ids";
import { float, readJson } from "../json";
import { EMPTY_LOG, type Log, logFrom, logText, record, redo, undo } from "../log";
import { portsOf } from "../ports";
import { printWorkflow, readWorkflow } from "../read";
import { keysOf } from "../tables";
import { catalogue, loose, shipped } from "../../../tests/graph";
import { Wiring, wiresOf } from "../wiring";
import { addGroup, addNote, addReroute, placeGroup, removeGroups } from "./canvas";
import { type Command, newNodes } from "./command";
import {
  exposeInput,
  exposeOutput,
  hideInput,
  hideOutput,
  moveInput,
  renameInput,
  renameOutput,
  setNamedInput,
} from "./form";
import { clearInput, setInput } from "./inputs";
import { align, arrange, distribute } from "./layout";
import {
  connect,
  connectFirst,
  disconnect,
  disconnectNode,
  insertOnWire,
  reconnect,
} from "./links";
import { addNode, removeNodes, replaceNode, toggleMode } from "./nodes";
import { duplicate, paste } from "./paste";
import { collapse, moveNodes, pin, resizeNode, setTitle } from "./places";
import { makeSubgraph, unpackSubgraph } from "./subgraphs";

const STARTS = [
  "two-pass",
  "subgraphs",
  "map",
  "sweep",
  "until-settled",
  "two-controlnets",
  "base-refiner",
].map(shipped);
const TYPES = [...catalogue.types.keys()];
const size = () => ({ width: 240, height: 120 });

/** One random edit: which, and where, as numbers that pick among what is there. */
interface Edit {
  readonly kind: number;
  readonly graph: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.nat(30),
  graph: fc.nat(5),
  a: fc.nat(40),
  b: fc.nat(40),
  c: fc.nat(40),
});

function pick<T>(items: readonly T[], index: number): T | undefined {
  return items[index % Math.max(1, items.length)];
}

function commandFor(workflow: Workflow, { kind, graph: at, a, b, c }: Edit): Command | undefined {
  const path: GraphPath = pick(graphPaths(workflow), at) ?? [];
  const graph = graphAt(workflow, path);
  const ids = nodeIds(graph);
  const id = pick(ids, a) ?? nodeId("none");
  const other = pick(ids, b) ?? id;
  const some = ids.filter((_, index) => (index + a) % (1 + (b % 4)) === 0);
  const type = pick(TYPES, a * 3 + b) ?? typeName("none");
  const input = pick(portsOf(workflow, path, id, catalogue).inputs, c)?.name ?? "x";
  const output = pick(portsOf(workflow, path, other, catalogue).outputs, c)?.name ?? "value";
  const wire = pick(wiresOf(graph), b);
  const named = pick(keysOf(graph?.inputs), b) ?? "none";
  const given = pick(keysOf(graph?.outputs), b) ?? "none";
  const values: Json[] = [c, "a text", float(2), 2n ** 63n, [1, 2], { kind: "fit" }, null];
  const box = { x: a, y: b, width: 100, height: c };
  const commands: (Command | undefined)[] = [
    addNode(path, { type, x: a, y: b }),
    removeNodes(path, [id, other]),
    toggleMode(path, some, a % 2 === 0 ? "mute" : "bypass"),
    replaceNode(path, id, type),
    connect(path, { node: other, output }, { node: id, input }),
    connectFirst(path, { node: other, output }, id),
    wire && disconnect(path, wire.to, c % 2 === 0 ? undefined : wire.index),
    disconnectNode(path, id),
    wire && reconnect(path, wire, { node: id, input }),
    wire && insertOnWire(path, id, wire),
    setInput(path, id, input, pick(values, c) ?? null),
    clearInput(path, id, input),
    setInput(path, id, input, { $axis: [a, b, c] }),
    exposeInput(path, { node: id, input }, pick([input, "prompt", "seed"], c), b % 2 === 0),
    hideInput(path, named),
    renameInput(path, named, `named_${c % 3}`),
    moveInput(path, named, c % 4),
    setNamedInput(path, named, pick(values, c) ?? null),
    exposeOutput(path, { node: other, output }),
    hideOutput(path, given),
    renameOutput(path, given, `given_${c % 3}`),
    addGroup(path, { ...box, title: "a group" }),
    pick(
      [
        placeGroup(path, "group", box),
        removeGroups(path, ["group"]),
        addNote(path, { ...box, text: "hm" }),
      ],
      c,
    ),
    wire && addReroute(path, wire.to, { x: a, y: b }),
    pick(
      [
        moveNodes(path, new Map([[id, { x: a, y: b }]])),
        resizeNode(path, id, box),
        setTitle(path, id, `t${c}`),
        collapse(path, some, true),
        pin(path, some, a > 20),
      ],
      c,
    ),
    pick(
      [align(path, some, "left", size), distribute(path, some, "down", size), arrange(path, size)],
      c,
    ),
    duplicate(workflow, path, { nodes: some.slice(0, 4) }, { outerWires: c % 2 === 0 }),
    makeSubgraph(path, some, "Part"),
    unpackSubgraph(path, id),
  ];
  return commands[kind];
}

test("any edits leave the document sound; undoing all is the start, redoing all the end", () => {
  fc.assert(
    fc.property(
      fc.nat(STARTS.length - 1),
      fc.array(edit, { minLength: 5, maxLength: 40 }),
      (index, edits) => {
        const start = STARTS[index] ?? shipped("two-pass");
        let workflow = start;
        let log: Log = EMPTY_LOG;
        for (const each of edits) {
          const command = commandFor(workflow, each);
          if (command === undefined) continue;
          const next = command.apply(workflow, catalogue);
          const found = loose(next);
          if (found.length > 0) throw new Error(`${command.name}: ${found.join("; ")}`);
          log = record(log, command.name, workflow, next, { merge: command.merge });
          workflow = next;
        }
        const end = printWorkflow(workflow);
        expect(printWorkflow(readWorkflow(end))).toBe(end);
        log = logFrom(logText(log));
        let steps = 0;
        for (let back = undo(log, workflow); back !== null; back = undo(log, workflow)) {
          ({ log, workflow } = back);
          steps += 1;
        }
        expect(printWorkflow(workflow)).toBe(printWorkflow(start));
        for (let on = redo(log, workflow); on !== null; on = redo(log, workflow)) {
          ({ log, workflow } = on);
          steps -= 1;
        }
        expect(steps).toBe(0);
        expect(printWorkflow(workflow)).toBe(end);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

describe("the clipboard", () => {
  test("pasting what was copied keeps its wires and values", () => {
    fc.assert(
      fc.property(fc.nat(STARTS.length - 1), fc.nat(10), fc.nat(5), (index, seed, at) => {
        const workflow = STARTS[index] ?? shipped("map");
        const path = pick(graphPaths(workflow), at) ?? [];
        const ids = nodeIds(graphAt(workflow, path)).filter(
          (_, place) => (place * 7 + seed) % 3 !== 0,
        );
        const clip = clipFrom(clipText(copied(workflow, path, { nodes: ids })));
        expect(clip).not.toBeNull();
        if (clip === null) return;
        const after = paste(path, clip).apply(workflow, catalogue);
        const added = newNodes(workflow, after, path);
        expect(added).toHaveLength(ids.length);
        const inner = wiresOf(graphAt(workflow, path)).filter(
          ({ from, to }) => ids.includes(from.node) && ids.includes(to.node),
        );
        const names = new Map(ids.map((id, place) => [id, added[place]]));
        const wires = wiresOf(graphAt(after, path)).filter(({ to }) => added.includes(to.node));
        expect(wires.map(({ from, to }) => [from, to])).toEqual(
          inner.map(({ from, to }) => [
            { ...from, node: names.get(from.node) },
            { ...to, node: names.get(to.node) },
          ]),
        );
        expect(loose(after)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test("a subgraph goes along into another workflow", () => {
    const from = shipped("subgraphs");
    const clip = copied(from, [], { nodes: [nodeId("day")] });
    const after = paste([], clip).apply(shipped("two-pass"), catalogue);
    expect(keysOf(after.subgraphs)).toEqual(["picture"]);
    expect(loose(after)).toEqual([]);
  });

  test("with outer wires, what fed the original feeds the copy", () => {
    const workflow = shipped("text-to-image");
    const after = duplicate(workflow, [], { nodes: [nodeId("sampler")] }).apply(
      workflow,
      catalogue,
    );
    expect(after.nodes["sampler_2"]?.inputs).toEqual(workflow.nodes["sampler"]?.inputs);
  });

  test("what is no workflow is no clip", () => {
    expect(clipFrom("hello")).toBeNull();
    expect(clipFrom('{"darkroom": 1}')).toBeNull();
    expect(clipFrom('{"darkroom": 1, "nodes": {"a": {}}}')).toBeNull();
  });
});

describe("wires", () => {
  test("inserting on a wire and deleting again heals it", () => {
    const start = shipped("two-pass");
    const after = STARTS.flatMap((workflow) =>
      wiresOf(workflow).map((wire) => {
        const type = typeName("Pass");
        const added = addNode([], { type, x: 0, y: 0 }).apply(workflow, catalogue);
        const [id = nodeId("none")] = newNodes(workflow, added, []);
        const inserted = insertOnWire([], id, wire).apply(added, catalogue);
        const isIn = inserted !== added;
        const removed = removeNodes([], [id]).apply(inserted, catalogue);
        expect(wiresOf(removed)).toEqual(wiresOf(workflow));
        expect(removed.nodes).toEqual(workflow.nodes);
        return isIn;
      }),
    );
    expect(after.filter(Boolean).length).toBeGreaterThan(50);
    expect(loose(start)).toEqual([]);
  });

  test("deleting the sampler leads its latents on", () => {
    const workflow = shipped("text-to-image");
    const after = removeNodes([], [nodeId("sampler")]).apply(workflow, catalogue);
    expect(after.nodes["decode"]?.inputs["latents"]).toEqual({ $link: ["latents", "value"] });
    expect(keysOf(after.inputs)).not.toContain("seed");
  });

  test("every wire of the workflows that ship may be drawn, and none back", () => {
    for (const workflow of STARTS) {
      for (const path of graphPaths(workflow)) {
        const wiring = new Wiring(workflow, path, catalogue);
        for (const { from, to } of wiresOf(graphAt(workflow, path))) {
          expect(wiring.canLink(from, to)).toMatchObject({ ok: true });
          const back = portsOf(workflow, path, from.node, catalogue).inputs[0];
          if (back === undefined) continue;
          const output = portsOf(workflow, path, to.node, catalogue).outputs[0]?.name ?? "";
          const answer = wiring.canLink(
            { node: to.node, output },
            { node: from.node, input: back.name },
          );
          expect(answer).toMatchObject({ ok: false, reason: "cycle" });
        }
      }
    }
  });

  test("a wire of another type is refused with both types", () => {
    const workflow = shipped("text-to-image");
    const wiring = new Wiring(workflow, [], catalogue);
    const from = { node: nodeId("checkpoint"), output: "vae" };
    expect(wiring.canLink(from, { node: nodeId("sampler"), input: "model" })).toEqual({
      ok: false,
      reason: "type",
      wanted: "Model",
      given: "VAE",
    });
  });

  test("a second picture joins the list, and a list replaces it", () => {
    const list = typeName("ConcatenateImages");
    const start = addNode([], { type: list, x: 0, y: 0, id: nodeId("all") }).apply(
      shipped("two-pass"),
      catalogue,
    );
    const to = { node: nodeId("all"), input: "images" };
    const [decode] = wiresOf(start).filter(({ to: { input } }) => input === "image");
    const from = decode?.from ?? { node: nodeId("none"), output: "value" };
    const once = connect([], from, to).apply(start, catalogue);
    const twice = connect([], from, to).apply(once, catalogue);
    const link = { $link: [from.node, from.output] };
    expect(twice.nodes["all"]?.inputs["images"]).toEqual([link, link]);
    const less = disconnect([], to, 0).apply(twice, catalogue);
    expect(less.nodes["all"]?.inputs["images"]).toEqual([link]);
  });
});

describe("values", () => {
  test("a whole number in a field of fractions is written as one", () => {
    const workflow = shipped("text-to-image");
    const id = nodeId("sampler");
    const after = setInput([], id, "guidance_scale", 3).apply(workflow, catalogue);
    expect(printWorkflow(after)).toContain('"guidance_scale": 3.0');
    const seeded = setInput([], id, "seed", 2n ** 64n - 1n).apply(after, catalogue);
    expect(printWorkflow(seeded)).toContain('"seed": 18446744073709551615');
    expect(readJson(printWorkflow(readWorkflow(printWorkflow(seeded))))).toMatchObject({
      darkroom: 1,
    });
  });
});

describe("subgraphs", () => {
  test("making one and unpacking it is the same graph", () => {
    fc.assert(
      fc.property(
        fc.nat(STARTS.length - 1),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }),
        (index, picks) => {
          const workflow = STARTS[index] ?? shipped("map");
          const ids = nodeIds(workflow).filter((_, place) => picks.includes(place));
          const made = makeSubgraph([], ids, "Part").apply(workflow, catalogue);
          if (made === workflow) return;
          expect(loose(made)).toEqual([]);
          const back = unpackSubgraph([], nodeId("part")).apply(made, catalogue);
          expect(loose(back)).toEqual([]);
          expect(back.nodes).toEqual(workflow.nodes);
          expect(back.outputs).toEqual(workflow.outputs);
          expect(placesByName(back)).toEqual(placesByName(workflow));
          expect(back.subgraphs).toEqual(workflow.subgraphs);
        },
      ),
      { numRuns: 80 },
    );
  });

  test("an input promoted through three levels keeps its one value, and follows renames", () => {
    const start = shipped("text-to-image");
    const one = makeSubgraph([], [nodeId("sampler"), nodeId("decode")], "One").apply(
      start,
      catalogue,
    );
    const two = makeSubgraph([], [nodeId("one")], "Two").apply(one, catalogue);
    const three = makeSubgraph([], [nodeId("two")], "Three").apply(two, catalogue);
    const steps = (workflow: Workflow) =>
      portsOf(workflow, [], nodeId("three"), catalogue).inputs.find(({ name }) => name === "steps");
    expect(steps(three)).toMatchObject({ kind: "integer", minimum: 1 });
    const reread = readWorkflow(printWorkflow(three));
    expect(reread).toEqual(three);
    const [deep = []] = graphPaths(three).filter((path) => path.at(-1) === "one");
    const renamed = renameInput(deep, "steps", "laps").apply(three, catalogue);
    expect(loose(renamed)).toEqual([]);
    expect(
      setNamedInput([], "steps", 7).apply(renamed, catalogue).nodes["three"]?.inputs["steps"],
    ).toBe(7);
    const hidden = hideInput(deep, "laps").apply(renamed, catalogue);
    expect(loose(hidden)).toEqual([]);
    expect(keysOf(hidden.inputs)).not.toContain("steps");
    const back = ["three", "two", "one"].reduce(
      (workflow, id) => unpackSubgraph([], nodeId(id)).apply(workflow, catalogue),
      reread,
    );
    expect(back.nodes).toEqual(start.nodes);
    expect(placesByName(back)).toEqual(placesByName(start));
  });
});

function placesByName(workflow: Workflow): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(workflow.inputs).map(([name, { node, input, also = [] }]) => [
      name,
      [{ node, input }, ...also].map((end) => `${end.node}.${end.input}`).sort(),
    ]),
  );
}
