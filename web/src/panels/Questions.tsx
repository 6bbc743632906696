import { useEffect, useRef } from "react";

import type { Asked } from "../state/files";
import { useEditor, type EditorState } from "../state/store";
import { say, sayCount } from "../words";
import { DropQuestion } from "./DropQuestion";
import { Floating } from "./Floating";
import { Question } from "./Question";

/** What has to be asked before something is saved, replaced or thrown away. */
export function Questions() {
  const asked = useEditor((state) => state.asked);
  const closing = useEditor((state) => state.closing);
  const clearing = useEditor((state) => state.clearing);
  const dropped = useEditor((state) => state.dropped);
  if (asked?.kind === "name") return <NameQuestion key={asked.name} asked={asked} />;
  if (asked !== null) return <VersionQuestion asked={asked} />;
  if (closing !== null) return <ClosingQuestion tab={closing} />;
  if (clearing !== null) return <ClearingQuestion {...clearing} />;
  return dropped === null ? null : <DropQuestion dropped={dropped} />;
}

function NameQuestion({ asked }: { readonly asked: Extract<Asked, { kind: "name" }> }) {
  const box = useRef<HTMLInputElement>(null);
  const { saveAs, answer } = useEditor.getState();
  const cancel = () => void answer("cancel");
  useEffect(() => box.current?.select(), []);
  return (
    <Floating label={say("save.title")} onClose={cancel}>
      <form
        className="question"
        onSubmit={(event) => {
          event.preventDefault();
          void saveAs(box.current?.value ?? "");
        }}
      >
        <h2>{say("save.title")}</h2>
        <input
          ref={box}
          className="pick-box"
          aria-label={say("save.name")}
          aria-invalid={asked.problem !== null}
          defaultValue={asked.name}
        />
        {asked.problem !== null && <p className="notice error">{asked.problem}</p>}
        <div className="question-answers">
          <button type="button" className="button bare" onClick={cancel}>
            {say("tabs.cancel")}
          </button>
          <button type="submit" className="button filled">
            {say("tabs.save")}
          </button>
        </div>
      </form>
    </Floating>
  );
}

function VersionQuestion({ asked }: { readonly asked: Exclude<Asked, { kind: "name" }> }) {
  const answer = useEditor((state) => state.answer);
  const choices = [
    ["cancel", "tabs.cancel", "button bare"],
    ...(asked.kind === "outdated" ? [["reload", "save.reload", "button"] as const] : []),
    ["overwrite", "save.overwrite", "button dangerous"],
    ["copy", "save.copy", "button filled"],
  ] as const;
  return (
    <Question
      text={say(`save.${asked.kind}`, { name: asked.name })}
      onClose={() => void answer("cancel")}
    >
      {choices.map(([choice, code, look]) => (
        <button
          key={choice}
          type="button"
          className={look}
          data-first={choice === "cancel" ? true : undefined}
          onClick={() => void answer(choice)}
        >
          {say(code)}
        </button>
      ))}
    </Question>
  );
}

function ClosingQuestion({ tab }: { readonly tab: string }) {
  const name = useEditor((state) => state.tabs.find(({ id }) => id === tab)?.workflow.name ?? "");
  const { keepTab, closeTab, saveAndClose } = useEditor.getState();
  return (
    <Question text={say("tabs.closing", { name })} onClose={keepTab}>
      <button type="button" className="button bare" data-first onClick={keepTab}>
        {say("tabs.cancel")}
      </button>
      <button type="button" className="button dangerous" onClick={() => closeTab(tab, true)}>
        {say("tabs.discard")}
      </button>
      <button
        type="button"
        className="button filled"
        onClick={() => {
          keepTab();
          void saveAndClose(tab);
        }}
      >
        {say("tabs.save")}
      </button>
    </Question>
  );
}

function ClearingQuestion({ jobs, starred }: NonNullable<EditorState["clearing"]>) {
  const { keepHistory, clearHistory, announce } = useEditor.getState();
  const lines = [
    jobs === 0 ? say("film.nothingToClear") : sayCount("film.clearOne", "film.clearMany", jobs),
    ...(starred > 0 ? [sayCount("film.oneStarred", "film.manyStarred", starred)] : []),
  ];
  return (
    <Question text={lines.join(" ")} onClose={keepHistory}>
      <button type="button" className="button" autoFocus onClick={keepHistory}>
        {say("tabs.cancel")}
      </button>
      {jobs > 0 && (
        <button
          type="button"
          className="button dangerous"
          onClick={() =>
            void clearHistory().then((isDone) => isDone && announce(say("film.cleared")))
          }
        >
          {say("film.clearHistory")}
        </button>
      )}
    </Question>
  );
}
