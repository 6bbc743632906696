import type { ReactNode } from "react";

import { Floating } from "./Floating";

interface Props {
  readonly text: string;
  readonly onClose: () => void;
  /** What stands between the question and its answers. */
  readonly more?: ReactNode;
  /** The answers. */
  readonly children: ReactNode;
}

/** A question over the page, with its answers. */
export function Question({ text, onClose, more, children }: Props) {
  return (
    <Floating label={text} onClose={onClose}>
      <div className="question">
        <p>{text}</p>
        {more}
        <div className="question-answers">{children}</div>
      </div>
    </Floating>
  );
}
