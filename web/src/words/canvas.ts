/** Texts of the canvas, its search, palette and menus. */
export const canvas = {} as const satisfies Record<string, string>;
