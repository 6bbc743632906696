import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { say } from "../words";
import { CheatSheet } from "./CheatSheet";
import { Find } from "./Find";
import { Menu } from "./Menu";
import { Palette } from "./Palette";
import { Questions } from "./Questions";
import { Search } from "./Search";
import "./boxes.css";

/** What lies over the page for a moment, and what is said without being seen. */
export function Overlays() {
  const overlay = useEditor((state) => state.overlay);
  return (
    <>
      {overlay?.kind === "search" && (
        <Search key={JSON.stringify(overlay.purpose)} overlay={overlay} />
      )}
      {overlay?.kind === "menu" && <Menu overlay={overlay} />}
      {overlay?.kind === "palette" && <Palette />}
      {overlay?.kind === "keys" && <CheatSheet />}
      {overlay?.kind === "find" && <Find />}
      <Questions />
      <Notices />
      <LiveRegion />
    </>
  );
}

function Notices() {
  const notices = useEditor((state) => state.notices);
  const dismiss = useEditor((state) => state.dismiss);
  return (
    <ul className="notices">
      {notices.map(({ id, kind, text }) => (
        <li key={id} className={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
          <Icon name={kind === "info" ? "info" : kind} small />
          <span>{text}</span>
          <button
            type="button"
            className="icon-button"
            aria-label={say("find.close")}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" small />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Says what happens on the canvas; the same text again is said again. */
function LiveRegion() {
  const { text, count } = useEditor((state) => state.announcement);
  return (
    <div className="unseen" role="status" aria-live="polite" data-live>
      <span key={count}>{text}</span>
    </div>
  );
}
