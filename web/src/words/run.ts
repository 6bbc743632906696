/** Texts of running, the film strip, the gallery and the comparison. */
export const run = {
  "run.said.started": "{name} runs.",
  "run.said.succeeded": "{name} is finished after {seconds} seconds.",
  "run.said.failed": "{name} has failed.",
  "run.said.cancelled": "{name} was stopped.",
} as const satisfies Record<string, string>;
