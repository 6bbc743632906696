/** Puts the chosen look onto the page. */

interface Look {
  readonly theme: "system" | "dark" | "light";
  readonly density: "comfortable" | "compact";
  readonly scale: number;
}

export function applyLook(root: HTMLElement, { theme, density, scale }: Look): void {
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  root.dataset["density"] = density;
  root.style.setProperty("--scale", String(scale));
}
