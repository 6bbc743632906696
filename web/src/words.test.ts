import { expect, test } from "vitest";

import { say, sayError } from "./words";

test("a text names its values, and shows a missing one as it stands", () => {
  expect(say("error.unreadable", { status: 502 })).toContain("(status 502)");
  expect(say("error.unreadable")).toContain("{status}");
});

test("an error has our text if we know it, else the server's with the remedy", () => {
  expect(sayError({ code: "unreachable", message: "Failed to fetch" })).not.toContain("fetch");
  expect(sayError({ code: "toString", message: "It broke", hint: "mend it" })).toBe(
    "It broke: mend it",
  );
  expect(sayError({ code: "new", message: "It broke", hint: null })).toBe("It broke");
});
