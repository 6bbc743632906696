import { describe, expect, it } from "vitest";

import { aJob, aPicture, FakeServer, settled, storeOver, workflow } from "../../tests/state/fake";
import { film, moved } from "./history";
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
