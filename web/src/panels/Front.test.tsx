// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";

import { aJob, aPicture } from "../../tests/state/fake";
import { useEditor } from "../state/store";
import { Front } from "./Front";

const start = useEditor.getInitialState();

beforeEach(() => useEditor.setState(start, true));
afterEach(cleanup);

function shown(cells: readonly string[]) {
  const made = cells.map((seed) => ({
    labels: { seed },
    files: [{ ...aPicture("job1"), url: `/api/v1/jobs/job1/files/${seed}.png` }],
  }));
  const job = aJob("job1", { state: "succeeded", outputs: { image: { cells: made } } });
  const tabJobs = { [useEditor.getState().activeTab]: ["job1"] };
  useEditor.setState({ jobs: { job1: job }, tabJobs, dimmed: true, sideOpen: true, side: "form" });
  render(<Front>the graph</Front>);
}

it("shows all pictures of a sweep beside the form, each with its value", () => {
  shown(["3", "4"]);
  const names = screen.getAllByRole("button", { name: /^seed / });
  expect(names.map((each) => each.getAttribute("aria-label"))).toEqual(["seed 3", "seed 4"]);
  expect(screen.queryByRole("img")).toBeNull();
});

it("shows the one picture of another run large", () => {
  shown(["3"]);
  expect(screen.queryByRole("table")).toBeNull();
  expect(screen.getAllByRole("img")).toHaveLength(1);
});
