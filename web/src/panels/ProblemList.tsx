import { useMemo, useState } from "react";

import { Icon } from "../look/Icon";
import type { Problem } from "../state/problems";
import { remedyOf } from "../state/remedies";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say, sayCount } from "../words";
import { Sheet } from "./Sheet";

/** Everything that is wrong; a click leads to the field. */
export function ProblemList() {
  const problems = useEditor((state) => state.problems);
  const [isOpen, setIsOpen] = useState(false);
  if (problems.length === 0) return null;
  return (
    <div className="problem-list">
      <button
        type="button"
        className="run-note error"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="error" small />
        {sayCount("problems.one", "problems.many", problems.length)}
      </button>
      {isOpen && (
        <Sheet title={say("problems.title")} onClose={() => setIsOpen(false)}>
          <ul className="problems">
            {problems.map((problem, index) => (
              <ProblemRow key={index} problem={problem} onGo={() => setIsOpen(false)} />
            ))}
          </ul>
        </Sheet>
      )}
    </div>
  );
}

interface RowProps {
  readonly problem: Problem;
  readonly onGo: () => void;
}

function ProblemRow({ problem, onGo }: RowProps) {
  const goTo = useEditor((state) => state.goTo);
  const workflow = useEditor(activeWorkflow);
  const catalogue = useEditor((state) => state.catalogue);
  const perform = useEditor((state) => state.perform);
  const remedy = useMemo(
    () => remedyOf(workflow, catalogue, problem),
    [workflow, catalogue, problem],
  );
  const { node, input } = problem;
  const place = [node, input].filter((part) => part !== undefined).join(", ");
  return (
    <li className="problem">
      <button
        type="button"
        className="problem-text"
        title={place === "" ? undefined : say("problems.goTo", { place })}
        onClick={() => {
          onGo();
          goTo(problem);
        }}
      >
        <Icon name="error" small />
        <span>
          {problem.message}
          {place !== "" && (
            <span className="quiet">
              {" "}
              {place}
              {problem.source === "run" && ` · ${say("problems.run")}`}
            </span>
          )}
        </span>
      </button>
      {remedy !== null && (
        <button type="button" className="button" onClick={() => perform(remedy.command)}>
          {say(`problems.${remedy.kind}`, { name: remedy.name })}
        </button>
      )}
    </li>
  );
}
