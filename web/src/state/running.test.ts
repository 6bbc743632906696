import { describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/problems";
import { renameWorkflow } from "../graph/commands/form";
import { nodeId } from "../graph/ids";
import { aJob, aPicture, FakeServer, settled, storeOver, workflow } from "../../tests/state/fake";
import { keepSeed, seedMode, setSeedMode } from "./seeds";
import { shownDocument } from "./shown";
import { begin } from "./starting";
import { activeTab, isDirty } from "./tabs";

const two = workflow({ sampler: { seed: 5 }, save: {} });

function begun(document = two) {
  const fake = new FakeServer();
  const { store, freed } = storeOver(fake);
  store.getState().openWorkflow(document);
  store.getState().connect();
  return { fake, store, freed, state: () => store.getState() };
}

describe("running", () => {
  it("queues the document as it is, and shows each node's state", async () => {
    const { fake, state } = begun();
    await state().generate();
    expect(fake.documents.get("job1")).toBe(two);
    fake.tell("job.started", "job1", { state: "running" });
    fake.tell("node.finished", "job1", { node: "sampler", state: "stored", seconds: 9, bytes: 1 });
    fake.tell("node.started", "job1", { node: "save" });
    fake.tell("node.progressed", "job1", { node: "save", done: 1, total: 4 });
    expect(state().nodeRuns["sampler"]?.state).toBe("cached");
    expect(state().nodeRuns["save"]).toEqual({ state: "running", progress: 0.25 });
    expect(state().progress).toMatchObject({ job: "job1", node: "save", fraction: 0.625 });
    fake.tell("node.finished", "job1", { node: "save", state: "ran", seconds: 2, bytes: 1 });
    fake.tell("job.succeeded", "job1", {
      state: "succeeded",
      outputs: { save: { files: [aPicture("a.png")] } },
    });
    expect(state().nodeRuns["save"]).toEqual({
      state: "done",
      seconds: 2,
      picture: "/files/a.png?thumbnail=320",
    });
    expect(state().progress).toBeNull();
  });

  it("keeps the last five pictures of a node, the newest first", async () => {
    const { fake, state } = begun();
    for (let run = 1; run <= 6; run += 1) {
      await state().generate();
      const files = [aPicture(`${run}.png`)];
      fake.tell("job.succeeded", `job${run}`, { state: "succeeded", outputs: { save: { files } } });
      const kept = state().nodeRuns["save"]?.results;
      expect(kept?.[0]).toBe(run === 1 ? undefined : `/files/${run}.png`);
    }
    expect(state().nodeRuns["save"]?.results).toEqual(
      [6, 5, 4, 3, 2].map((run) => `/files/${run}.png`),
    );
  });

  it("keeps a run that the server did not get, and sends it once when the server is back", async () => {
    const { fake, state } = begun();
    fake.lose();
    await state().generate();
    expect(state().waiting).toMatchObject([{ isStuck: true }]);
    expect(state().connection).toBe("lost");
    fake.comeBack();
    await settled();
    expect(state().waiting).toEqual([]);
    expect(state().isBack).toBe(true);
    expect([...fake.jobs.keys()]).toEqual(["job1"]);
    expect(state().tabJobs[activeTab(state()).id]).toEqual(["job1"]);
  });

  it("remembers over a reload what waits", async () => {
    const kept = new Map<string, string>();
    const memory = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const fake = new FakeServer();
    const before = storeOver(fake, memory).store.getState();
    before.openWorkflow(workflow({ sampler: {} }));
    fake.away = true;
    await before.generate();
    fake.away = false;
    const after = storeOver(fake, memory).store;
    after.getState().connect();
    await settled();
    expect(fake.asked).toEqual(["submit job1"]);
    expect(after.getState().waiting).toEqual([]);
  });

  it("asks nothing more of a run that is deleted, and does not say that it has ended", async () => {
    const { fake, state } = begun();
    fake.add(aJob("job7", { state: "succeeded" }), two);
    const asked = vi.spyOn(fake.server, "readJobDocument");
    const said = state().announcement;
    fake.tell("job.deleted", "job7");
    await settled();
    expect(asked).not.toHaveBeenCalledWith("job7");
    expect(state().announcement).toBe(said);
  });

  it("says of an empty workflow that there is nothing to run", async () => {
    const fake = new FakeServer();
    const { store } = storeOver(fake);
    await store.getState().generate();
    expect(fake.asked).toEqual([]);
    expect(store.getState().notices.map(({ text }) => text)).toEqual([
      "There is nothing to run yet: add nodes first.",
    ]);
  });

  it("marks the field that the server refuses", async () => {
    const { fake, state } = begun();
    const fault = { code: "out_of_range", message: "seed is -1", node: "sampler", input: "seed" };
    fake.refuse([{ ...fault, hint: "0", pointer: null }]);
    await state().generate();
    expect(state().problems).toEqual([{ ...fault, hint: "0", source: "run" }]);
    expect(state().waiting).toEqual([]);
  });

  it("says where a run failed, until the next one is taken", async () => {
    const { fake, state } = begun();
    await state().generate();
    fake.tell("job.started", "job1", { state: "running" });
    const problem = { code: "out_of_memory", message: "too large", node: "sampler" };
    fake.tell("node.failed", "job1", { node: "sampler", type: "Toy", problem });
    const error = { type: "", title: "", status: 500, detail: "d", code: "c", problems: [problem] };
    fake.tell("job.failed", "job1", { state: "failed", error });
    expect(state().problems).toEqual([{ ...problem, source: "run" }]);
    expect(state().nodeRuns["sampler"]?.state).toBe("error");
    await state().generate();
    expect(state().problems).toEqual([]);
  });

  it("goes back to the seed of the last run, in one step", async () => {
    const { state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "random"));
    await state().generate();
    const last = shownDocument(state())?.nodes["sampler"]?.inputs["seed"];
    expect(last).toBe(5);
    state().perform(keepSeed([], nodeId("sampler"), "seed", 5));
    const { workflow } = activeTab(state());
    expect(workflow.nodes["sampler"]?.inputs["seed"]).toBe(5);
    expect(seedMode(workflow, nodeId("sampler"), "seed")).toBe("fixed");
    state().undo();
    expect(seedMode(activeTab(state()).workflow, nodeId("sampler"), "seed")).toBe("random");
  });

  it("draws and increments seeds after a run, as each field says", async () => {
    const { state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    await state().generate();
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(6);
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "fixed"));
    await state().generate();
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(6);
  });

  it("stops the run of the active tab before any other", async () => {
    const { fake, state } = begun();
    fake.tell("job.started", "job1", { state: "running" });
    fake.add(aJob("job2"), two);
    await state().generate();
    fake.tell("job.started", "job3", { state: "running" });
    await state().stop();
    expect(fake.asked.at(-1)).toBe("cancel job3");
  });

  it("lets go of previews that are not shown any more", async () => {
    const { fake, state, freed } = begun();
    await state().generate();
    const event = () => fake.tell("node.progressed", "job1", { node: "save", done: 1, total: 9 });
    fake.show(event());
    expect(state().nodeRuns["save"]?.picture).toBe("blob:1");
    fake.show(event());
    expect(state().nodeRuns["save"]?.picture).toBe("blob:2");
    expect(freed).toEqual(["blob:1"]);
  });

  it("catches up with a job that ended while the server was away", async () => {
    const { fake, state } = begun();
    await state().generate();
    fake.tell("job.started", "job1", { state: "running" });
    fake.lose();
    fake.tell("job.succeeded", "job1", { state: "succeeded", seconds: 3 });
    expect(state().jobs["job1"]?.state).toBe("running");
    fake.comeBack();
    await settled();
    expect(state().jobs["job1"]?.state).toBe("succeeded");
    expect(state().announcement.text).toBe("Test is finished after 3 seconds.");
  });

  it("gives runs that are asked for at once each its own seed", async () => {
    const { fake, state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    await Promise.all([state().generate(), state().generate()]);
    const seeds = ["job1", "job2"].map(
      (job) => fake.documents.get(job)?.nodes["sampler"]?.inputs["seed"],
    );
    expect(seeds).toEqual([5, 6]);
  });

  it("moves the seed of its own tab, and leaves what can be redone", async () => {
    const { state } = begun();
    const tab = state().activeTab;
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    state().perform(renameWorkflow([], "other"));
    state().undo();
    const run = state().generate();
    state().newTab();
    await run;
    state().activate(tab);
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(6);
    state().redo();
    expect(activeTab(state()).workflow.name).toBe("other");
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(6);
  });

  it("makes a moved seed neither a change to be saved nor a step of undo", async () => {
    const { state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    state().changeTab(state().activeTab, { saved: activeTab(state()).workflow });
    const steps = activeTab(state()).log.done.length;
    await state().generate();
    expect(isDirty(activeTab(state()))).toBe(false);
    state().perform(renameWorkflow([], "other"));
    await state().generate();
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(7);
    expect(activeTab(state()).log.done).toHaveLength(steps + 1);
    state().undo();
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(7);
    expect(isDirty(activeTab(state()))).toBe(false);
  });

  it("takes a seed that was typed as a change, however the run moves it", async () => {
    const { state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    state().changeTab(state().activeTab, { saved: activeTab(state()).workflow });
    state().setInput(nodeId("sampler"), "seed", 70);
    await state().generate();
    expect(activeTab(state()).saved.nodes["sampler"]?.inputs["seed"]).toBe(5);
    expect(isDirty(activeTab(state()))).toBe(true);
  });

  it("opens the problems in place of a run that cannot be, and runs once they are mended", async () => {
    const { fake, state } = begun();
    const fault = { code: "missing_input", message: "image is missing", input: "image" };
    fake.refuse([{ ...fault, node: "save", hint: null, pointer: null }]);
    await state().makePlan();
    await state().generate();
    expect(fake.jobs.size).toBe(0);
    expect(state().problemsOpen).toBe(true);
    expect([...state().selected]).toEqual(["save"]);
    expect(state().announcement.text).toContain("a problem");
    fake.refusal = null;
    await state().generate();
    expect(fake.jobs.size).toBe(1);
  });

  it("waits for the workflow that the page begins with", async () => {
    const { fake, store, state } = begun();
    let fill: (had: boolean) => void = () => undefined;
    const restored = new Promise<boolean>((resolve) => {
      fill = resolve;
    });
    const loadCatalogue = () => Promise.resolve();
    store.setState({ start: { kind: "last" }, loadCatalogue });
    const filled = begin(store, new URLSearchParams(), () => restored);
    await state().generate();
    expect(fake.jobs.size).toBe(0);
    fill(true);
    await filled;
    await state().generate();
    expect(fake.jobs.size).toBe(1);
  });

  it("leaves the seed of a run that the server refuses", async () => {
    const { fake, state } = begun();
    state().perform(setSeedMode([], nodeId("sampler"), "seed", "increment"));
    fake.refuse([]);
    await state().generate();
    expect(activeTab(state()).workflow.nodes["sampler"]?.inputs["seed"]).toBe(5);
  });

  it("keeps a run of somebody who is signed out, and sends it once they are back", async () => {
    const { fake, state } = begun();
    await settled();
    fake.refusal = new ApiError(401, "unauthorized", "who is this");
    await state().generate();
    expect(state().isSignedOut).toBe(true);
    expect(state().waiting).toMatchObject([{ isStuck: true }]);
    fake.refusal = null;
    state().hasten();
    await settled();
    expect(state().isSignedOut).toBe(false);
    expect([...fake.jobs.keys()]).toEqual(["job1"]);
  });

  it("takes back what waits while the server is away", async () => {
    const { fake, state } = begun();
    await settled();
    fake.lose();
    await state().generate();
    await state().clearQueue();
    expect(state().waiting).toEqual([]);
    fake.comeBack();
    await settled();
    expect(fake.jobs.size).toBe(0);
  });

  it("tells where a run of another tab failed once that tab is shown", async () => {
    const { fake, state } = begun();
    state().keepPlan();
    const tab = state().activeTab;
    await state().generate();
    state().newTab();
    const problem = { code: "out_of_memory", message: "too large", node: "sampler" };
    const error = { type: "", title: "", status: 500, detail: "d", code: "c", problems: [problem] };
    fake.tell("job.failed", "job1", { state: "failed", error });
    expect(state().problems).toEqual([]);
    state().activate(tab);
    expect(state().problems).toEqual([{ ...problem, source: "run" }]);
    state().newTab();
    expect(state().problems).toEqual([]);
  });

  it("reads the nodes again when the server tells of others", async () => {
    const { fake, store } = begun();
    const loadCatalogue = vi.fn(() => Promise.resolve());
    store.setState({ loadCatalogue });
    fake.tell("catalogue.changed", null as unknown as string, { digest: "new" });
    expect(loadCatalogue).toHaveBeenCalledTimes(1);
    fake.lose();
    fake.comeBack();
    expect(loadCatalogue).toHaveBeenCalledTimes(2);
    await settled();
  });
});
