// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { aJob, workflow } from "../../tests/state/fake";
import { useEditor } from "../state/store";
import { Compare } from "./Compare";

afterEach(cleanup);

const url = (job: string) => `/api/v1/jobs/${job}/files/a.png`;

it("says over each half which run it is of, and what is its own", () => {
  useEditor.setState({
    jobs: { job1: aJob("job1"), job2: aJob("job2") },
    documents: { job1: workflow({ a: { seed: 4 } }), job2: workflow({ a: { seed: 7 } }) },
  });
  render(<Compare left={url("job1")} right={url("job2")} />);
  expect(screen.getByAltText(/^Left · run 1, .* · seed 4$/).getAttribute("src")).toBe(url("job1"));
  expect(screen.getByAltText(/^Right · run 2, .* · seed 7$/).getAttribute("src")).toBe(url("job2"));
  expect(screen.getByText(/^Left · run 1/).textContent).toContain("seed 4");
});
