import { beforeEach, describe, expect, it, vi } from "vitest";

import { catalogue } from "../../tests/graph";
import { emptyWorkflow } from "../graph/document";
import { nodeId } from "../graph/ids";
import { readWorkflow } from "../graph/read";
import { useEditor } from "./store";
import { pictureInputs, pictureReader } from "./pictureInputs";
import { activeWorkflow } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const names = () => editor().tabs.map(({ workflow }) => workflow.name);
const notices = () => editor().notices.map(({ text }) => text);

const carried = { darkroom: 1, name: "Carried", inputs: {}, outputs: {}, nodes: {} };
const own = (name: string) => {
  const document = { ...carried, name, nodes: { only: node("") } };
  return new File([JSON.stringify(document)], `${name}.json`);
};
const png = (name: string) => new File([`\u0089PNG ${name}`], name, { type: "image/png" });

/** The server finds a workflow in pictures whose name says so. */
function answered(at: string): Response {
  if (at.includes("with"))
    return new Response(JSON.stringify({ document: carried, picture: true, findings: [] }));
  const body = {
    code: "invalid_workflow",
    title: "",
    problems: [{ code: "no_workflow", message: "none" }],
  };
  return new Response(JSON.stringify(body), { status: 422 });
}

const reader = pictureReader(catalogue);
if (reader === null) throw new Error("No type reads a picture.");
const node = (input: string) => ({
  type: reader.type.name,
  version: reader.type.version,
  inputs: { [reader.input]: input },
});
const reading = (...nodes: string[]) =>
  readWorkflow(
    JSON.stringify({
      ...carried,
      name: "Reading",
      nodes: Object.fromEntries(nodes.map((id) => [id, node("old.png")])),
    }),
  );
const given = (id: string, tab = activeWorkflow(editor())) =>
  tab.nodes[nodeId(id)]?.inputs[reader.input];

beforeEach(() => {
  const sent = (file: Blob) => Promise.resolve(file instanceof File ? `in/${file.name}` : "");
  useEditor.setState({ ...start, catalogue, sendPicture: sent }, true);
  vi.stubGlobal("fetch", (at: string) => Promise.resolve(answered(at)));
});

describe("a picture that was dropped", () => {
  it("is asked about if it carries a workflow and could be used as well", async () => {
    editor().openWorkflow(reading("photo"));
    await editor().openDropped([png("with.png")]);
    expect(names()).toEqual(["Reading"]);
    expect(editor().dropped?.pictures).toMatchObject([{ opening: { workflow: carried } }]);
    editor().openCarried();
    expect(names()).toEqual(["Reading", "Carried"]);
    expect(editor().dropped).toBeNull();
  });

  it("goes into the input that is chosen, in the tab where it was dropped", async () => {
    const tab = editor().openWorkflow(reading("photo", "mask"));
    await editor().openDropped([png("with.png")]);
    const [, second] = pictureInputs(activeWorkflow(editor()), catalogue);
    if (second === undefined) throw new Error("There are two inputs.");
    editor().openWorkflow(emptyWorkflow("other"));
    await editor().useDropped(second);
    const own = editor().tabs.find(({ id }) => id === tab)?.workflow;
    expect([given("photo", own), given("mask", own)]).toEqual(["old.png", "in/with.png"]);
  });

  it("opens at once where nothing could use it", async () => {
    await editor().openDropped([png("with.png")]);
    expect(names()).toEqual(["Carried"]);
    expect(editor().dropped).toBeNull();
  });

  it("says why nothing opens, and gets a node of its own if that is wanted", async () => {
    await editor().openDropped([png("bare.png")]);
    expect(editor().dropped?.pictures[0]?.why).toMatch(/bare\.png carries no workflow/);
    await editor().useDropped("new");
    const [added] = Object.values(activeWorkflow(editor()).nodes);
    expect(added).toMatchObject({
      type: reader.type.name,
      inputs: { [reader.input]: "in/bare.png" },
    });
  });

  it("is used without a question by the node that it is dropped on", async () => {
    editor().openWorkflow(reading("photo"));
    const place = { path: [], node: nodeId("photo"), input: reader.input };
    await editor().openDropped([png("with.png")], place);
    expect(given("photo")).toBe("in/with.png");
    expect(editor().dropped).toBeNull();
  });

  it("leaves the node as it is if it cannot be sent", async () => {
    editor().openWorkflow(reading("photo"));
    useEditor.setState({ sendPicture: () => Promise.reject(new Error("away")) });
    const place = { path: [], node: nodeId("photo"), input: reader.input };
    await editor().openDropped([png("with.png")], place);
    expect(given("photo")).toBe("old.png");
    expect(notices().join()).toContain("away");
  });
});

describe("several files", () => {
  it("are all taken: workflows each in a tab, pictures after a question", async () => {
    await editor().openDropped([own("a"), png("with.png"), own("b"), png("bare.png")]);
    expect(names()).toEqual(["a", "b"]);
    expect(editor().dropped?.pictures.map(({ file }) => file.name)).toEqual([
      "with.png",
      "bare.png",
    ]);
    await editor().sendDropped();
    expect(notices().join()).toContain("in/with.png, in/bare.png");
  });
});

it("says where a model file goes, and opens nothing", async () => {
  useEditor.setState({ modelsFolder: "/data/models" });
  await editor().openDropped([new File(["12345678{}"], "sd15.safetensors")]);
  expect(notices().join()).toContain("/data/models");
  expect(names()).toEqual(["Untitled"]);
});
