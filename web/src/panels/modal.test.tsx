// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { useKeys } from "../canvas/useKeys";
import { readWorkflow } from "../graph/read";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import { Overlays } from "./Overlays";
import { Sheet } from "./Sheet";
import { Stage } from "../Stage";
import { Sure } from "./Sure";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const nodes = () => Object.keys(activeGraph(editor()).nodes);

function Page() {
  useKeys();
  const [isSheet, setSheet] = useState(false);
  const [isSure, setSure] = useState(false);
  return (
    <>
      <button type="button">Elsewhere</button>
      <div>
        <button type="button" onClick={() => setSheet(!isSheet)}>
          List
        </button>
        {isSheet && (
          <Sheet title="Listed" onClose={() => setSheet(false)}>
            <button type="button">Row</button>
          </Sheet>
        )}
      </div>
      <button type="button" onClick={() => setSure(true)}>
        Throw away
      </button>
      {isSure && (
        <Sure
          className=""
          label="Throw it away"
          question="Really?"
          yes="Yes"
          no="No"
          onYes={() => setSure(false)}
          onNo={() => setSure(false)}
        />
      )}
      <Stage />
      <Overlays />
    </>
  );
}

const button = (name: string) => screen.getByRole("button", { name });
const now = () => document.activeElement;

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
  useEditor.setState(start, true);
  const node = (type: string) => ({ type, version: 1, inputs: {} });
  const text = JSON.stringify({ darkroom: 1, name: "Two", nodes: { a: node("A"), b: node("B") } });
  editor().openWorkflow(readWorkflow(text));
  render(<Page />);
});
afterEach(cleanup);

/** Press every key that would change the graph if it got there. */
function pressAll(target: Element | Window) {
  editor().select(["a", "b"]);
  for (const key of ["Delete", "Backspace", "l"]) fireEvent.keyDown(target, { key });
  for (const key of ["z", "d", "g", "b", "m"]) fireEvent.keyDown(target, { key, ctrlKey: true });
  document.dispatchEvent(new Event("cut", { bubbles: true }));
}

const openings: readonly (readonly [string, () => void])[] = [
  ["the list of keys", () => editor().open({ kind: "keys" })],
  ["the palette", () => editor().open({ kind: "palette" })],
  ["the question for a name", () => editor().askName()],
  ["the question before closing", () => useEditor.setState({ closing: editor().activeTab })],
  ["a list", () => fireEvent.click(button("List"))],
  ["a question in its place", () => fireEvent.click(button("Throw away"))],
];

describe.each(openings)("%s", (_name, open) => {
  const opened = () => {
    button("Elsewhere").focus();
    act(open);
    const [box] = document.querySelectorAll("[aria-modal='true']");
    if (box === undefined) throw new Error("Nothing was opened.");
    return box;
  };

  it("takes the focus, and gives it back on Escape", () => {
    const box = opened();
    expect(box.contains(now())).toBe(true);
    fireEvent.keyDown(now() ?? box, { key: "Escape" });
    expect(document.querySelector("[aria-modal='true']")).toBeNull();
    expect(now()).toBe(button("Elsewhere"));
  });

  it("is closed by Escape also when the focus got lost", () => {
    opened();
    act(() => (now() instanceof HTMLElement ? (now() as HTMLElement).blur() : undefined));
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(document.querySelector("[aria-modal='true']")).toBeNull();
  });

  it("keeps Tab inside, both ways", () => {
    const box = opened();
    for (const shiftKey of [false, true])
      for (let press = 0; press < 4; press++) {
        fireEvent.keyDown(now() ?? box, { key: "Tab", shiftKey });
        expect(box.contains(now())).toBe(true);
      }
    (now() as HTMLElement).blur();
    fireEvent.keyDown(document.body, { key: "Tab" });
    expect(box.contains(now())).toBe(true);
  });

  it("lets no key through to the graph behind it", () => {
    const box = opened();
    const before = editor().tabs;
    pressAll(now() ?? box);
    pressAll(document.body);
    expect(editor().tabs).toBe(before);
    expect([...editor().selected]).toEqual(["a", "b"]);
  });
});

it("has the focus on what throws nothing away", () => {
  fireEvent.click(button("Throw away"));
  expect(now()).toBe(button("No"));
  fireEvent.click(button("No"));
  act(() => useEditor.setState({ closing: editor().activeTab }));
  expect(now()?.textContent).toBe("Cancel");
});

it("is closed by a press elsewhere", () => {
  fireEvent.click(button("Throw away"));
  fireEvent.pointerDown(button("Elsewhere"));
  expect(screen.queryByRole("alertdialog")).toBeNull();
});

describe("what is looked at in the graph's place", () => {
  beforeEach(() => act(() => editor().show({ kind: "picture", url: "/x.png" })));

  it("hides the graph from every key that would change it, wherever the focus is", () => {
    const before = editor().tabs;
    const [area] = document.querySelectorAll(".viewer-area");
    pressAll(area ?? document.body);
    pressAll(document.body);
    expect(editor().tabs).toBe(before);
  });

  it("is left by Escape, and the keys are the graph's again", () => {
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(editor().stage).toBeNull();
    act(() => editor().select(["a"]));
    fireEvent.keyDown(document.body, { key: "Delete" });
    expect(nodes()).toEqual(["b"]);
  });

  it("leaves Generate and Save their keys", () => {
    const [generate, save] = [vi.fn(), vi.fn()];
    useEditor.setState({ generate, save });
    fireEvent.keyDown(document.body, { key: "Enter", ctrlKey: true });
    fireEvent.keyDown(document.body, { key: "s", ctrlKey: true });
    expect(generate).toHaveBeenCalledOnce();
    expect(save).toHaveBeenCalledOnce();
  });
});
