import { useState, type KeyboardEvent } from "react";

import { Icon } from "../look/Icon";
import { keysOf } from "../keys";
import { groups, keysFor, shortcutFor, shortcuts, type Shortcut } from "../shortcuts";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Floating } from "./Floating";
import { Keys } from "./Keys";

/** Every command with its keys; press one to choose another. */
export function CheatSheet() {
  const [filter, setFilter] = useState("");
  const close = useEditor((state) => state.closeOverlay);
  const wanted = shortcuts.filter(({ title }) =>
    title.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <Floating label={say("keys.title")} onClose={close}>
      <div className="cheat-sheet">
        <header>
          <h2>{say("keys.title")}</h2>
          <input
            className="pick-box"
            aria-label={say("keys.filter")}
            placeholder={say("keys.filter")}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <button
            type="button"
            className="icon-button"
            aria-label={say("keys.close")}
            onClick={close}
          >
            <Icon name="close" />
          </button>
        </header>
        <p className="quiet small">{say("keys.hint")}</p>
        <div className="cheat-groups">
          {groups.map((group) => {
            const rows = wanted.filter((each) => each.group === group);
            if (rows.length === 0) return null;
            return (
              <section key={group}>
                <h3>{say(`group.${group}`)}</h3>
                <ul>
                  {rows.map((each) => (
                    <KeyRow key={each.id} shortcut={each} />
                  ))}
                </ul>
              </section>
            );
          })}
        </div>
      </div>
    </Floating>
  );
}

function KeyRow({ shortcut }: { readonly shortcut: Shortcut }) {
  const [isChoosing, setChoosing] = useState(false);
  const chosen = useEditor((state) => state.keys);
  const change = useEditor((state) => state.changeSettings);
  const keys = keysFor(shortcut, chosen);
  const isOwn = chosen[shortcut.id] === undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isChoosing) return;
    event.preventDefault();
    event.stopPropagation();
    const pressed = keysOf(event.nativeEvent);
    if (pressed === null) return;
    setChoosing(false);
    if (pressed !== "Esc") change({ keys: withKeys(chosen, shortcut, pressed) });
  };
  const text = keys.length === 0 ? say("keys.none") : keys.join(", ");
  return (
    <li className="key-row">
      <span>{shortcut.title}</span>
      {!isOwn && (
        <button
          type="button"
          className="icon-button"
          aria-label={say("keys.reset")}
          title={say("keys.reset")}
          onClick={() =>
            change({
              keys: Object.fromEntries(Object.entries(chosen).filter(([id]) => id !== shortcut.id)),
            })
          }
        >
          <Icon name="reset" small />
        </button>
      )}
      <button
        type="button"
        className="key-choice"
        aria-label={say("keys.choose", { title: shortcut.title, keys: text })}
        onClick={() => setChoosing(true)}
        onBlur={() => setChoosing(false)}
        onKeyDown={onKeyDown}
      >
        {isChoosing ? say("keys.press") : keys.map((each) => <Keys key={each} keys={each} />)}
        {!isChoosing && keys.length === 0 && <span className="quiet">{say("keys.none")}</span>}
      </button>
    </li>
  );
}

/** The chosen keys with one more; whoever had them before loses them, so that none is dead. */
function withKeys(
  chosen: Readonly<Record<string, readonly string[]>>,
  shortcut: Shortcut,
  keys: string,
): Readonly<Record<string, readonly string[]>> {
  const before = shortcutFor(keys, chosen);
  const rest =
    before === undefined || before === shortcut
      ? {}
      : { [before.id]: keysFor(before, chosen).filter((each) => each !== keys) };
  if (before !== undefined && before !== shortcut)
    useEditor.getState().notify("info", say("keys.taken", { title: before.title }));
  return { ...chosen, ...rest, [shortcut.id]: [keys] };
}
