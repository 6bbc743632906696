// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";

import { Radios } from "./Radios";

function Held({ start }: { readonly start: string | undefined }) {
  const [chosen, setChosen] = useState(start);
  return (
    <Radios label="Few" choices={["a", "b", "c"]} chosen={chosen} onChoose={setChosen}>
      {(choice) => choice}
    </Radios>
  );
}

const stops = () => screen.getAllByRole("radio").map((each) => each.tabIndex);
const chosen = () => screen.queryByRole("radio", { checked: true })?.textContent;

afterEach(cleanup);

it("is one stop of Tab, and arrows choose, round the ends", () => {
  render(<Held start="b" />);
  expect(stops()).toEqual([-1, 0, -1]);
  screen.getByRole("radio", { name: "b" }).focus();
  const press = (key: string) =>
    fireEvent.keyDown(document.activeElement ?? document.body, { key });
  press("ArrowRight");
  expect(chosen()).toBe("c");
  expect(document.activeElement?.textContent).toBe("c");
  press("ArrowDown");
  expect(chosen()).toBe("a");
  press("ArrowLeft");
  expect(chosen()).toBe("c");
  expect(stops()).toEqual([-1, -1, 0]);
});

it("begins at the first where none is chosen", () => {
  render(<Held start={undefined} />);
  expect(stops()).toEqual([0, -1, -1]);
});
