import { useState } from "react";

import type { Plan } from "../api/shapes";
import { Icon } from "../look/Icon";
import { blockersIn } from "../state/problems";
import { useEditor } from "../state/store";
import { say, sayCount } from "../words";
import { bytes, seconds } from "./measures";
import { Sheet } from "./Sheet";

/** What a run would do: how much is stored, how long the rest takes, and how much memory. */
export function PlanCard() {
  const plan = useEditor((state) => state.plan);
  const isPlanning = useEditor((state) => state.isPlanning);
  const [isOpen, setIsOpen] = useState(false);
  const blockers = useEditor((state) => blockersIn(state).length);
  if (plan === null) {
    const text =
      blockers > 0
        ? sayCount("run.blocked", "run.blockedMany", blockers)
        : say(isPlanning ? "plan.making" : "run.idle");
    return <p className="plan-card quiet">{text}</p>;
  }
  const label = say(isOpen ? "plan.hide" : "plan.show");
  return (
    <div className="plan-card">
      <button
        type="button"
        className="plan-summary"
        aria-expanded={isOpen}
        title={label}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Summary plan={plan} />
      </button>
      {isOpen && (
        <Sheet title={say("plan.title")} onClose={() => setIsOpen(false)}>
          <PlanTable plan={plan} />
        </Sheet>
      )}
    </div>
  );
}

function Summary({ plan }: { readonly plan: Plan }) {
  const { total } = plan;
  if (total.run === 0) return <span>{say("plan.none")}</span>;
  const peak = Math.max(
    0,
    ...Object.values(plan.nodes).map((node) => (node.state === "run" ? (node.peak ?? 0) : 0)),
  );
  const parts = [
    ...(total.seconds > 0 ? [say("plan.seconds", { seconds: seconds(total.seconds) })] : []),
    ...(total.unknown > 0 ? [say("plan.unknown", { count: total.unknown })] : []),
    ...(peak > 0 ? [say("plan.memory", { memory: bytes(peak) })] : []),
  ];
  return (
    <>
      <span>{say("plan.summary", { run: total.run, stored: total.nodes - total.run })}</span>
      <span className="quiet">{parts.join(" · ")}</span>
    </>
  );
}

function PlanTable({ plan }: { readonly plan: Plan }) {
  const reveal = useEditor((state) => state.goTo);
  return (
    <ul className="plan-nodes">
      {Object.entries(plan.nodes).map(([place, node]) => (
        <li key={place}>
          <button
            type="button"
            title={node.why}
            onClick={() => reveal({ code: "", message: "", node: place, source: "check" })}
          >
            <Icon name={node.state === "stored" ? "clock" : "play"} small />
            <span>{place}</span>
            <span className="quiet">
              {say(node.state === "stored" ? "plan.state.stored" : "plan.state.run")}
              {node.state === "run" && node.seconds !== null && `, ${seconds(node.seconds)}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
