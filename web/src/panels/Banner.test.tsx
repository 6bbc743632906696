// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ApiError } from "../api/problems";
import { useEditor } from "../state/store";
import { Banner } from "./Banner";
import { FilmStrip } from "./FilmStrip";
import { Shell } from "./Shell";

const start = useEditor.getInitialState();

describe.each([true, false])("with the film strip open: %s", (stripOpen) => {
  beforeEach(() => {
    useEditor.setState({ ...start, stripOpen }, true);
    render(
      <Shell
        tabs={null}
        banner={<Banner />}
        breadcrumb={null}
        canvas={null}
        drawers={{ nodes: null, workflows: null, models: null, gallery: null }}
        sides={{ form: null, inspect: null }}
        strip={<FilmStrip />}
        run={null}
      />,
    );
  });
  afterEach(cleanup);

  it("says once that the server is away", () => {
    act(() => useEditor.setState({ connection: "lost" }));
    expect(screen.getByRole("alert").textContent).toContain("Try now");
  });

  it("says once why a request was refused", () => {
    const refused = new ApiError(401, "unauthorized", "This server asks for a password.");
    act(() => useEditor.getState().report(refused));
    expect(screen.getByRole("alert").textContent).not.toBe("");
  });
});
