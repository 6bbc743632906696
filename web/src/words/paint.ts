/** Texts of painting. */
export const paint = {} as const satisfies Record<string, string>;
