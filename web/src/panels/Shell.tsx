import type { ReactNode } from "react";

import { Icon } from "../look/Icon";
import { bounds, standardSettings } from "../state/settings";
import type { Drawer, Side } from "../state/settings";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Rail } from "./Rail";
import { Resizer } from "./Resizer";
import "./shell.css";

export interface Slots {
  readonly tabs: ReactNode;
  /** What failed: in sight whatever else is closed. */
  readonly banner: ReactNode;
  readonly breadcrumb: ReactNode;
  readonly canvas: ReactNode;
  readonly drawers: { readonly [name in Drawer]: ReactNode };
  readonly sides: { readonly [name in Side]: ReactNode };
  readonly strip: ReactNode;
  /** Generate and Stop: at the right end of the strip, always in sight. */
  readonly run: ReactNode;
}

/** The four docked areas. None of them lies over the canvas. */
export function Shell(slots: Slots) {
  const { tabs, banner, breadcrumb, canvas, drawers, sides, strip, run } = slots;
  return (
    <div className="shell">
      <Rail />
      <DrawerArea drawers={drawers} />
      <div className="centre">
        <header className="centre-top">
          {tabs}
          <SideToggle />
        </header>
        {banner}
        {breadcrumb}
        <main className="centre-canvas" aria-label={say("area.canvas")}>
          {canvas}
        </main>
      </div>
      <SideArea sides={sides} />
      <StripArea strip={strip} run={run} />
    </div>
  );
}

function DrawerArea({ drawers }: Pick<Slots, "drawers">) {
  const open = useEditor((state) => state.drawer);
  const width = useEditor((state) => state.drawerWidth);
  const change = useEditor((state) => state.changeSettings);
  if (open === null) return null;
  return (
    <section
      className="drawer"
      aria-label={say(`drawer.${open}`)}
      style={{ width: `${width / 16}rem` }}
    >
      {drawers[open]}
      <Resizer
        label={say("resize.drawer")}
        edge="right"
        size={width}
        bounds={bounds.drawerWidth}
        standard={standardSettings.drawerWidth}
        onResize={(size) => change({ drawerWidth: size })}
      />
    </section>
  );
}

function SideToggle() {
  const open = useEditor((state) => state.sideOpen);
  const change = useEditor((state) => state.changeSettings);
  const label = say(open ? "side.hide" : "side.show");
  return (
    <button
      type="button"
      className="icon-button"
      aria-pressed={open}
      aria-label={label}
      title={label}
      onClick={() => change({ sideOpen: !open })}
    >
      <Icon name="sidebar" />
    </button>
  );
}

function SideArea({ sides }: Pick<Slots, "sides">) {
  const side = useEditor((state) => state.side);
  const open = useEditor((state) => state.sideOpen);
  const width = useEditor((state) => state.sideWidth);
  const show = useEditor((state) => state.showSide);
  const change = useEditor((state) => state.changeSettings);
  if (!open) return null;
  return (
    <aside className="side" aria-label={say("area.side")} style={{ width: `${width / 16}rem` }}>
      <div className="side-tabs" role="tablist">
        {(["form", "inspect"] as const).map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`side-tab-${name}`}
            aria-controls="side-panel"
            aria-selected={side === name}
            className="side-tab"
            onClick={() => show(name)}
          >
            {say(`side.${name}`)}
          </button>
        ))}
      </div>
      <div
        className="side-panel"
        role="tabpanel"
        id="side-panel"
        aria-labelledby={`side-tab-${side}`}
      >
        {sides[side]}
      </div>
      <Resizer
        label={say("resize.side")}
        edge="left"
        size={width}
        bounds={bounds.sideWidth}
        standard={standardSettings.sideWidth}
        onResize={(size) => change({ sideWidth: size })}
      />
    </aside>
  );
}

function StripArea({ strip, run }: Pick<Slots, "strip" | "run">) {
  const open = useEditor((state) => state.stripOpen);
  const height = useEditor((state) => state.stripHeight);
  // Generate stands under the form, as if it were its last line.
  const width = useEditor((state) => (state.sideOpen ? state.sideWidth : undefined));
  const change = useEditor((state) => state.changeSettings);
  const label = say(open ? "strip.hide" : "strip.show");
  return (
    <section
      className={open ? "strip" : "strip strip-low"}
      aria-label={say("area.strip")}
      style={open ? { height: `${height / 16}rem` } : {}}
    >
      {open && (
        <Resizer
          label={say("resize.strip")}
          edge="top"
          size={height}
          bounds={bounds.stripHeight}
          standard={standardSettings.stripHeight}
          onResize={(size) => change({ stripHeight: size })}
        />
      )}
      <button
        type="button"
        className="icon-button strip-toggle"
        aria-expanded={open}
        aria-label={label}
        title={label}
        onClick={() => change({ stripOpen: !open })}
      >
        <Icon name={open ? "chevron-down" : "chevron-up"} />
      </button>
      <div className="strip-film">{open ? strip : null}</div>
      <div className="strip-run" style={width === undefined ? {} : { width: `${width / 16}rem` }}>
        {run}
      </div>
    </section>
  );
}
