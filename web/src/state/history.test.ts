import { describe, expect, it } from "vitest";

import { aJob, aPicture, FakeServer, settled, storeOver, workflow } from "../../tests/state/fake";
import { nodeId } from "../graph/ids";
import { film, moved } from "./history";
import { blockersIn } from "./problems";
import { activeWorkflow } from "./tabs";

function begun() {
  const fake = new FakeServer();
  const { store } = storeOver(fake);
  return { fake, state: () => store.getState(), store };
}

describe("the film", () => {
  it("shows what ended, what runs and what waits, in the order of the queue", () => {
    const jobs = [
      aJob("job1", { state: "queued" }),
      aJob("job2", { state: "running" }),
      aJob("job3", { state: "succeeded", finished: "2026-01-01T00:00:09Z" }),
      aJob("job4", { state: "failed", finished: "2026-01-01T00:00:05Z" }),
      aJob("job5", { state: "queued" }),
    ];
    const table = Object.fromEntries(jobs.map((job) => [job.id, job]));
    expect(film({ jobs: table, queue: ["job5", "job1"] }).map(({ id }) => id)).toEqual([
      "job4",
      "job3",
      "job2",
      "job5",
      "job1",
    ]);
  });

  it("moves a job to its new place before the server has answered", () => {
    expect(moved(["a", "b", "c"], "c", { before: "a" })).toEqual(["c", "a", "b"]);
    expect(moved(["a", "b", "c"], "a", { to: "back" })).toEqual(["b", "c", "a"]);
  });

  it("lists the jobs of before, and opens what one of them ran in a tab", async () => {
    const { fake, state } = begun();
    const ran = workflow({ a: { seed: 7 } });
    fake.add(aJob("job1", { state: "succeeded" }), ran);
    state().connect();
    await settled();
    expect(Object.keys(state().jobs)).toEqual(["job1"]);
    await state().openJob("job1");
    expect(activeWorkflow(state()).nodes).toEqual(ran.nodes);
  });

  it("forgets what ended, and only asks for the end of what runs", async () => {
    const { fake, state } = begun();
    fake.add(aJob("job1", { state: "succeeded" }), workflow({}));
    fake.add(aJob("job2", { state: "running" }), workflow({}));
    state().connect();
    await settled();
    await state().removeJob("job1");
    await state().removeJob("job2");
    expect(Object.keys(state().jobs)).toEqual(["job2"]);
    expect(fake.asked.at(-1)).toBe("cancel job2");
  });
});

describe("clearing results", () => {
  const over = { state: "succeeded" } as const;

  it("asks first, and keeps the runs of starred pictures", async () => {
    const { fake, state } = begun();
    for (const id of ["job1", "job2", "job3"]) fake.add(aJob(id, over), workflow({}));
    fake.gallery = [galleryFile("a.png", "job2", true), galleryFile("b.png", "job1", false)];
    state().connect();
    await settled();
    await state().askClearing();
    expect(state().clearing).toEqual({ jobs: 2, starred: 1 });
    expect(fake.jobs.size).toBe(3);
    expect(await state().clearHistory()).toBe(true);
    expect([...fake.jobs.keys()]).toEqual(["job2"]);
    expect(Object.keys(state().jobs)).toEqual(["job2"]);
    expect(state().clearing).toBeNull();
  });

  it("does nothing if the stars cannot be read", async () => {
    const { fake, state } = begun();
    fake.add(aJob("job1", over), workflow({}));
    state().connect();
    await settled();
    fake.away = true;
    expect(await state().clearHistory()).toBe(false);
    expect(fake.jobs.size).toBe(1);
  });
});

describe("a run", () => {
  it("is opened by its link with its picture, once", async () => {
    const { fake, state } = begun();
    const outputs = { image: { files: [aPicture("jobs/job9/a.png")] } };
    fake.add(aJob("job9", { state: "succeeded", outputs }), workflow({ a: { seed: 3 } }));
    expect(await state().openRun("job9")).toBe(true);
    expect(activeWorkflow(state()).nodes["a"]?.inputs).toEqual({ seed: 3 });
    expect(state().stage).toEqual({ kind: "picture", url: "/files/jobs/job9/a.png" });
    expect(state().tabJobs[state().activeTab]).toEqual(["job9"]);
    const tabs = state().tabs.length;
    await state().openRun("job9");
    expect(state().tabs).toHaveLength(tabs);
    expect(await state().openRun("job0")).toBe(false);
  });

  it("says so if its workflow is not kept any more", async () => {
    const { fake, state } = begun();
    fake.jobs.set("job1", aJob("job1", { state: "succeeded" }));
    await state().openJob("job1");
    expect(state().notices.map(({ text }) => text)).toEqual([
      "The workflow of this run is not kept any more.",
    ]);
  });
});

const galleryFile = (path: string, job: string, starred: boolean) => ({
  ...aPicture(path),
  job,
  name: "Test",
  output: "image",
  made: null,
  starred,
  preview: false,
});

describe("the gallery", () => {
  const file = {
    ...aPicture("a.png"),
    job: "job1",
    name: "Test",
    output: "image",
    made: null,
    starred: false,
    preview: false,
  };

  it("marks, deletes, and copies a picture once however often it is used", async () => {
    const { fake, state } = begun();
    fake.gallery = [file];
    await state().readGallery();
    await state().starPicture(file.url, true);
    expect(state().gallery[0]?.starred).toBe(true);
    expect(await state().asUpload(file.url)).toBe("a.png");
    await state().asUpload(file.url);
    state().show({ kind: "picture", url: file.url });
    await state().deletePicture(file.url);
    expect(state().stage).toBeNull();
    expect(fake.asked).toEqual([`star ${file.url} true`, "upload a.png", `delete ${file.url}`]);
  });

  it("knows the star of a picture that is in no page", async () => {
    const { fake, state } = begun();
    const url = "/files/jobs/job4/old.png";
    fake.gallery = [galleryFile("jobs/job4/old.png", "job4", true)];
    await state().readStar(url);
    expect(state().stars[url]).toBe(true);
    await state().starPicture(url, false);
    expect(state().stars[url]).toBe(false);
    fake.away = true;
    expect(await state().starPicture(url, true)).toBe(false);
    expect(state().stars[url]).toBe(false);
  });

  it("puts a picture into the tab in which that was begun", async () => {
    const { state } = begun();
    const first = state().openWorkflow(workflow({ load: {} }));
    const putting = state().useAsInput("/files/a.png", {
      path: [],
      node: nodeId("load"),
      input: "image",
    });
    const second = state().openWorkflow(workflow({ load: { image: "other.png" } }));
    expect(await putting).toBe(true);
    const inputOf = (tab: string) =>
      state().tabs.find(({ id }) => id === tab)?.workflow.nodes["load"]?.inputs["image"];
    expect(inputOf(first)).toBe("a.png");
    expect(inputOf(second)).toBe("other.png");
  });
});

describe("the plan", () => {
  it("is made for the document as it is, and tells the problems that keep it from running", async () => {
    const { fake, state } = begun();
    await state().makePlan();
    expect(fake.planned).toBe(0);
    state().openWorkflow(workflow({ save: {} }));
    await state().makePlan();
    expect(state().plan).toBe(fake.plan);
    const fault = { code: "missing_input", message: "image is missing", node: "save" };
    fake.refuse([{ ...fault, input: "image", hint: null, pointer: null }]);
    await state().makePlan();
    expect(state().plan).toBeNull();
    expect(state().problems).toEqual([{ ...fault, input: "image", source: "check" }]);
  });

  it("tells what is wrong where no output needs it as a warning, which keeps nothing from running", async () => {
    const { fake, state } = begun();
    state().openWorkflow(workflow({ save: {}, spare: {} }));
    const fault = { code: "missing_input", message: "image is missing", node: "spare" };
    fake.plan = {
      ...fake.plan,
      warnings: [{ ...fault, input: "image", hint: null, pointer: null }],
    };
    await state().makePlan();
    expect(state().problems).toMatchObject([{ ...fault, isWarning: true }]);
    expect(blockersIn(state())).toEqual([]);
  });

  it("keeps the last plan while the server is away", async () => {
    const { fake, state } = begun();
    state().openWorkflow(workflow({ save: {} }));
    await state().makePlan();
    fake.away = true;
    await state().makePlan();
    expect(state().plan).toBe(fake.plan);
    expect(state().isPlanning).toBe(false);
  });
});
