import { beforeEach, expect, test } from "vitest";

import { aJob, workflow } from "../../tests/state/fake";
import { useEditor } from "../state/store";
import { lookAt } from "./looking";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const problem = { code: "out_of_memory", message: "too large", node: "sampler" };
const error = { type: "", title: "", status: 500, detail: "d", code: "c", problems: [problem] };
const failed = aJob("job1", { state: "failed", error });

beforeEach(() => useEditor.setState(start, true));

test("a run of another tab that failed is shown where it failed", () => {
  const tab = editor().openWorkflow(workflow({ sampler: {} }));
  useEditor.setState({ jobs: { job1: failed }, tabJobs: { [tab]: ["job1"] } });
  editor().newTab();
  lookAt(failed);
  expect(editor().activeTab).toBe(tab);
  expect(editor().problems).toEqual([{ ...problem, source: "run" }]);
});

test("one whose tab is closed is opened again", async () => {
  const opened: string[] = [];
  useEditor.setState({
    jobs: { job1: failed },
    openJob: (job) => {
      opened.push(job);
      const tab = editor().openWorkflow(workflow({ sampler: {} }));
      useEditor.setState({ tabJobs: { [tab]: [job] } });
      return Promise.resolve(true);
    },
  });
  lookAt(failed);
  await new Promise((resolve) => setTimeout(resolve));
  expect(opened).toEqual(["job1"]);
  expect(editor().problems).toEqual([{ ...problem, source: "run" }]);
});
