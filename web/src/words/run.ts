/** Texts of running, the queue, history and gallery. */
export const run = {} as const satisfies Record<string, string>;
