import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { renameWorkflow } from "../graph/commands/form";
import { emptyWorkflow } from "../graph/document";
import { useEditor } from "./store";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const names = () => editor().tabs.map(({ workflow }) => workflow.name);

/** What was saved, each over which revision. */
const saves: string[] = [];
let revision = 0;
let answer: () => void = () => undefined;

function whileItSaves(): Promise<void> {
  return new Promise((resolve) => {
    answer = resolve;
  });
}

beforeEach(() => {
  useEditor.setState({ ...start, asked: null }, true);
  saves.splice(0);
  revision = 1;
  let gate = Promise.resolve();
  vi.stubGlobal("fetch", async (at: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const over = headers.get("If-Match") ?? "new";
    await gate;
    gate = Promise.resolve();
    saves.push(over);
    if (over !== "new" && over !== `"${revision}"`)
      return new Response('{"code": "precondition_failed", "title": ""}', { status: 412 });
    revision += 1;
    return new Response(JSON.stringify({ name: at, revision: String(revision) }));
  });
  gate = whileItSaves();
});

afterEach(() => void vi.unstubAllGlobals());

const opened = () => {
  const tab = editor().openWorkflow(emptyWorkflow("mine"), { name: "mine", revision: "1" });
  editor().perform(renameWorkflow([], "changed"));
  return tab;
};

test("a save that is asked for twice asks nobody whether to overwrite", async () => {
  opened();
  const both = [editor().save(), editor().save()];
  await Promise.resolve();
  answer();
  expect(await Promise.all(both)).toEqual([true, true]);
  expect(saves).toEqual(['"1"']);
  expect(editor().asked).toBeNull();
});

test("what is changed while a save is under way is saved after it", async () => {
  opened();
  const first = editor().save();
  await new Promise((resolve) => setTimeout(resolve));
  editor().perform(renameWorkflow([], "changed again"));
  const second = editor().save();
  answer();
  await Promise.all([first, second]);
  expect(saves).toEqual(['"1"', '"2"']);
  expect(editor().asked).toBeNull();
});

test("a tab that is saved to be closed stays if it was changed meanwhile", async () => {
  const tab = opened();
  const saving = editor().saveAndClose(tab);
  await new Promise((resolve) => setTimeout(resolve));
  editor().perform(renameWorkflow([], "later"));
  answer();
  await saving;
  expect(names()).toContain("later");
  expect(editor().closing).toBe(tab);
  editor().keepTab();
  await editor().saveAndClose(tab);
  expect(names()).not.toContain("later");
});

test("a workflow without a file is closed once it was given a name", async () => {
  editor().newTab();
  editor().perform(renameWorkflow([], "unnamed"));
  const tab = editor().activeTab;
  await editor().saveAndClose(tab);
  expect(editor().asked).toMatchObject({ kind: "name", tab });
  answer();
  await editor().saveAs("named");
  expect(saves).toEqual(["new"]);
  expect(names()).not.toContain("unnamed");
});

test("a tab stays once its saving was given up", async () => {
  editor().newTab();
  editor().perform(renameWorkflow([], "unnamed"));
  const tab = editor().activeTab;
  await editor().saveAndClose(tab);
  await editor().answer("cancel");
  answer();
  await editor().save(tab);
  await editor().saveAs("named");
  expect(names()).toContain("unnamed");
});
