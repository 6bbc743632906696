import { useMemo } from "react";

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
  const isOpen = useEditor((state) => state.problemsOpen);
  const open = useEditor((state) => state.openProblems);
  const warnings = problems.filter((problem) => problem.isWarning === true).length;
  const count = problems.length - warnings;
  if (problems.length === 0) return null;
  return (
    <div className="problem-list">
      <button
        type="button"
        className={count > 0 ? "run-note error" : "run-note warning"}
        aria-expanded={isOpen}
        onClick={() => open(!isOpen)}
      >
        <Icon name={count > 0 ? "error" : "warning"} small />
        {count > 0
          ? sayCount("problems.one", "problems.many", count)
          : sayCount("problems.warning", "problems.warnings", warnings)}
      </button>
      {isOpen && (
        <Sheet title={say("problems.title")} onClose={() => open(false)}>
          <ul className="problems">
            {problems.map((problem, index) => (
              <ProblemRow
                key={index}
                problem={problem}
                isFirst={index === 0}
                onGo={() => open(false)}
              />
            ))}
          </ul>
        </Sheet>
      )}
    </div>
  );
}

interface RowProps {
  readonly problem: Problem;
  readonly isFirst: boolean;
  readonly onGo: () => void;
}

function ProblemRow({ problem, isFirst, onGo }: RowProps) {
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
        data-first={isFirst || undefined}
        data-kind={problem.isWarning === true ? "warning" : "error"}
        title={place === "" ? undefined : say("problems.goTo", { place })}
        onClick={() => {
          onGo();
          goTo(problem);
        }}
      >
        <Icon name={problem.isWarning === true ? "warning" : "error"} small />
        <span>
          {problem.message}
          {place !== "" && (
            <span className="quiet">
              {" "}
              {place}
              {problem.source === "run" && ` · ${say("problems.run")}`}
              {problem.isWarning === true && ` · ${say("problems.idle")}`}
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
