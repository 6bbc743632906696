import { graphAt } from "../graph/graphs";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { activePath, activeWorkflow } from "../state/tabs";
import { say } from "../words";

/** The graphs from the workflow down to the one that is shown; nothing while that is the workflow. */
export function Breadcrumb() {
  const workflow = useEditor(activeWorkflow);
  const path = useEditor(activePath);
  const leave = useEditor((state) => state.leave);
  if (path.length === 0) return null;
  return (
    <nav className="breadcrumb" aria-label={say("tabs.path")}>
      <ol>
        <li>
          <button type="button" onClick={() => leave(0)}>
            {workflow.name === "" ? say("canvas.untitled") : workflow.name}
          </button>
        </li>
        {path.map((name, index) => {
          const title = graphAt(workflow, path.slice(0, index + 1))?.name ?? name;
          const isLast = index === path.length - 1;
          return (
            <li key={`${index} ${name}`}>
              <Icon name="chevron-right" small />
              {isLast ? (
                <span aria-current="page">{title}</span>
              ) : (
                <button type="button" onClick={() => leave(index + 1)}>
                  {title}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
