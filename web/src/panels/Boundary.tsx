import { Component, type ReactNode } from "react";

import { printJson } from "../graph/json";
import { noteBroken } from "../state/session";
import { useEditor } from "../state/store";
import { activeTab, activeWorkflow } from "../state/tabs";
import { say } from "../words";

interface Props {
  readonly children: ReactNode;
}

interface Fallen {
  readonly why: string;
  /** The tab that was shown then: another one may well be shown. */
  readonly tab: string;
}

/** Keeps what cannot be drawn from taking down the page: it says so, and offers ways out. */
export class Boundary extends Component<Props, { readonly fallen: Fallen | null }> {
  override state: { readonly fallen: Fallen | null } = { fallen: null };
  private end: (() => void) | undefined;

  static getDerivedStateFromError(error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    return { fallen: { why, tab: useEditor.getState().activeTab } };
  }

  override componentDidMount(): void {
    this.end = useEditor.subscribe(({ activeTab: tab }) => {
      if (this.state.fallen !== null && this.state.fallen.tab !== tab)
        this.setState({ fallen: null });
    });
  }

  override componentDidCatch(): void {
    noteBroken(useEditor.getState().activeTab);
  }

  override componentWillUnmount(): void {
    this.end?.();
  }

  override render(): ReactNode {
    const { fallen } = this.state;
    return fallen === null ? this.props.children : <Broken why={fallen.why} />;
  }
}

function Broken({ why }: { readonly why: string }) {
  const { closeTab } = useEditor.getState();
  const { id, workflow } = activeTab(useEditor.getState());
  return (
    <section className="empty" role="alert" aria-label={say("broken.title")}>
      <h2>{say("broken.title")}</h2>
      <p>{say("broken.text", { why })}</p>
      <div className="question-answers">
        <button type="button" className="button" onClick={() => location.reload()}>
          {say("broken.reload")}
        </button>
        <button type="button" className="button" onClick={() => download(workflow.name)}>
          {say("broken.download")}
        </button>
        <button type="button" className="button dangerous" onClick={() => closeTab(id, true)}>
          {say("broken.close")}
        </button>
      </div>
    </section>
  );
}

/** Hand the document over as it is; what the editor cannot show may be mended elsewhere. */
function download(name: string): void {
  const text = printJson(activeWorkflow(useEditor.getState()));
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name === "" ? "workflow" : name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
