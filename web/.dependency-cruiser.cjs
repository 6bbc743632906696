/** Data goes one way: canvas, widgets, panels, paint -> state -> graph, api. */
const views = "^src/(canvas|widgets|panels|paint|look)/";

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "graph-is-pure",
      severity: "error",
      from: { path: "^src/graph/", pathNot: "[.]test[.]ts$" },
      to: { pathNot: "^src/graph/" },
    },
    {
      name: "api-knows-no-views",
      severity: "error",
      from: { path: "^src/api/" },
      to: { path: "^src/(state|canvas|widgets|panels|paint|look)/" },
    },
    {
      name: "state-knows-no-views",
      severity: "error",
      from: { path: "^src/state/" },
      to: { path: views },
    },
    {
      name: "widgets-know-no-canvas",
      severity: "error",
      from: { path: "^src/widgets/" },
      to: { path: "^src/(canvas|panels|paint)/" },
    },
    {
      name: "paint-knows-no-panels",
      severity: "error",
      from: { path: "^src/paint/" },
      to: { path: "^src/(panels|canvas)/" },
    },
    {
      name: "panels-know-no-paint",
      severity: "error",
      from: { path: "^src/panels/" },
      to: { path: "^src/paint/" },
    },
  ],
  options: { tsConfig: { fileName: "tsconfig.json" }, doNotFollow: { path: "node_modules" } },
};
