/** What the shell, the panels and the widgets say. */

export const panelWords = {
  "area.rail": "Panels",
  "area.drawer": "Drawer",
  "area.canvas": "Canvas",
  "area.side": "Inspector and form",
  "area.strip": "Queue and results",
  "drawer.nodes": "Nodes",
  "drawer.workflows": "Workflows",
  "drawer.models": "Models",
  "drawer.gallery": "Gallery",
  "side.form": "Form",
  "side.inspect": "Inspect",
  "side.show": "Show the side panel",
  "side.hide": "Hide the side panel",
  "strip.show": "Show the film strip",
  "strip.hide": "Hide the film strip",
  "resize.drawer": "Width of the drawer",
  "resize.side": "Width of the side panel",
  "resize.strip": "Height of the film strip",
  "settings.open": "Settings",
} as const;
