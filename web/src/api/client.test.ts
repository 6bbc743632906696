import { expect, test } from "vitest";

import { createClient, loginUrl } from "./client";
import { ApiError } from "./problems";
import { address, path } from "./request";

interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

function client(...answers: (Response | Error)[]) {
  const asked: Asked[] = [];
  const pauses: number[] = [];
  const made = createClient({
    fetch: (url, init = {}) => {
      asked.push({ url, init });
      const answer = answers.shift();
      if (answer === undefined) throw new Error("no answer is left");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    pause: (seconds) => {
      pauses.push(seconds);
      return Promise.resolve();
    },
  });
  return { made, asked, pauses };
}

const header = (one: Asked | undefined, name: string): string | null =>
  new Headers(one?.init.headers).get(name);

function problem(status: number, more: object = {}, headers: Record<string, string> = {}) {
  const text = { type: "x", title: "Title", status, code: "a_code", detail: "What is wrong" };
  return new Response(JSON.stringify({ ...text, ...more }), { status, headers });
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error("it did not fail as a request does");
  return error;
}

test("names are escaped where they stand in an address", () => {
  expect(path("workflows", "a/b ?#ü")).toBe("/api/v1/workflows/a%2Fb%20%3F%23%C3%BC");
  expect(address("/x", { a: [1, 2].map(String), b: null, c: undefined, d: false })).toBe(
    "/x?a=1&a=2&d=false",
  );
  expect(loginUrl("/?workflow=a b")).toBe("/login?next=%2F%3Fworkflow%3Da%20b");
});

test("a workflow comes with its revision, and is saved over it", async () => {
  const tagged = new Response('{"darkroom": 1}', { headers: { ETag: 'W/"abc"' } });
  const { made, asked } = client(
    tagged,
    new Response("{}"),
    new Response("{}"),
    new Response("{}"),
  );
  const { value, revision } = await made.readWorkflow("one");
  expect(revision).toBe("abc");
  await made.saveWorkflow("one", value, { revision });
  await made.saveWorkflow("one", value, "anything");
  await made.saveWorkflow("two", value, "new");
  expect(asked[1]?.init.method).toBe("PUT");
  expect(asked[1]?.init.body).toBe('{"darkroom":1}');
  expect(header(asked[1], "If-Match")).toBe('"abc"');
  expect(header(asked[2], "If-Match")).toBe("*");
  expect(header(asked[3], "If-Match")).toBeNull();
  expect(header(asked[3], "If-None-Match")).toBe("*");
});

test("somebody else's save is told apart from other errors", async () => {
  const { made } = client(problem(412, { code: "precondition_failed" }));
  const error = await failure(made.saveWorkflow("one", { darkroom: 1 }, { revision: "old" }));
  expect(error.outdated).toBe(true);
  expect(error.code).toBe("precondition_failed");
});

test("an error carries every fault with its node and input", async () => {
  const fault = { code: "out_of_range", message: "steps is 0", node: "s", input: "steps" };
  const { made } = client(problem(422, { problems: [fault], hint: "give 1" }));
  const error = await failure(made.submit({ document: { darkroom: 1 } }));
  expect(error.message).toBe("What is wrong");
  expect(error.hint).toBe("give 1");
  expect(error.problems).toEqual([fault]);
  expect(error.passing).toBe(false);
});

test("a submission whose answer was lost is asked again under the same key", async () => {
  const { made, asked, pauses } = client(
    new TypeError("Failed to fetch"),
    problem(503, {}, { "Retry-After": "7" }),
    new Response('{"id": "j"}', { status: 201 }),
  );
  const job = await made.submit({ document: { darkroom: 1 } });
  expect(job.id).toBe("j");
  const keys = asked.map((one) => header(one, "Idempotency-Key"));
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(pauses).toEqual([0.3, 7]);
});

test("a submission is given up when the server stays away", async () => {
  const { made, asked } = client(...Array<Error>(4).fill(new TypeError("Failed to fetch")));
  const error = await failure(made.submit({ workflow: "one" }));
  expect(error.code).toBe("unreachable");
  expect(asked).toHaveLength(4);
});

test("a page of a proxy is an error with the status that it had", async () => {
  const { made } = client(new Response("<html>Bad gateway</html>", { status: 502 }));
  const error = await failure(made.listJobs());
  expect([error.status, error.code, error.passing]).toEqual([502, "unreadable", true]);
});

test("an answer that is not JSON is an error, not a crash", async () => {
  const { made } = client(new Response("<html></html>"));
  expect((await failure(made.readMe())).code).toBe("unreadable");
});

test("a request that is given up says so", async () => {
  const { made } = client(new DOMException("aborted", "AbortError"));
  const signal = AbortSignal.abort();
  expect((await failure(made.plan({ workflow: "one" }, signal))).code).toBe("aborted");
});

test("known node types are not sent again", async () => {
  const { made, asked } = client(new Response(null, { status: 304 }));
  expect(await made.listNodes("digest")).toBeNull();
  expect(header(asked[0], "If-None-Match")).toBe('"digest"');
});
