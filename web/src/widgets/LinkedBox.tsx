import type { Link } from "../graph/document";
import type { GraphPath } from "../graph/ids";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { graphAt } from "../graph/graphs";
import { activeTab } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say } from "../words";

interface Props {
  readonly link: Link;
  readonly label: string;
  /** The graph in which the link stands; the one that is shown by default. */
  readonly path?: GraphPath | undefined;
}

/** Where a linked value comes from; a press goes there. */
export function LinkedBox({ link, label, path }: Props) {
  const [node, output] = link.$link;
  const source = useEditor((state) => {
    const { workflow, path: shown } = activeTab(state);
    return titleIn(graphAt(workflow, path ?? shown) ?? workflow, node);
  });
  const reveal = useEditor((state) => state.reveal);
  return (
    <button
      type="button"
      className="field-box linked nodrag"
      aria-label={`${label} ${say("widget.linked", { source, output })}`}
      title={say("widget.linked", { source, output })}
      onClick={() => reveal(node)}
    >
      <Icon name="link" small />
      <span>{source}</span>
      {output !== "value" && <span className="quiet">{output}</span>}
    </button>
  );
}
