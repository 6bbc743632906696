/** Texts of the panels, the form and the settings. */
export const panels = {} as const satisfies Record<string, string>;
