import { useEffect, useRef, type KeyboardEvent } from "react";

import { keysFor } from "../shortcuts";
import type { Overlay } from "../state/canvas";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Floating } from "./Floating";
import { Keys } from "./Keys";
import { menuFor } from "./menuItems";

/** The context menu of the canvas, a node, a port, a wire, a group or a note. */
export function Menu({ overlay }: { readonly overlay: Extract<Overlay, { kind: "menu" }> }) {
  const list = useRef<HTMLUListElement>(null);
  const close = useEditor((state) => state.closeOverlay);
  const chosen = useEditor((state) => state.keys);
  const items = menuFor(useEditor.getState(), overlay);
  useEffect(() => list.current?.querySelector("button")?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons.at(to % buttons.length)?.focus();
  };
  return (
    <Floating at={overlay.at} label={say("menu.title")} onClose={close}>
      <ul ref={list} role="menu" className="menu" onKeyDown={onKeyDown}>
        {items.map((item, index) => {
          const [keys] = item.shortcut === undefined ? [] : keysFor(item.shortcut, chosen);
          return (
            <li key={item.title} role="none" data-first={item.begins && index > 0}>
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                onPointerMove={(event) => event.currentTarget.focus()}
                onClick={() => {
                  close();
                  item.run();
                }}
              >
                <span>{item.title}</span>
                {keys !== undefined && <Keys keys={keys} />}
              </button>
            </li>
          );
        })}
      </ul>
    </Floating>
  );
}
