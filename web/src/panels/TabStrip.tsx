import { useRef, useState, type KeyboardEvent } from "react";

import { LineField } from "../canvas/LineField";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { isDirty, type Tab } from "../state/tabs";
import { say } from "../words";
import "./tabs.css";

/** The open workflows. */
export function TabStrip() {
  const tabs = useEditor((state) => state.tabs);
  const active = useEditor((state) => state.activeTab);
  const { activate, newTab, step } = useEditor.getState();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : null;
    if (by === null || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    step(by);
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>("[aria-selected='true']")?.focus(),
    );
  };
  return (
    <div className="tab-strip">
      <div ref={list} role="tablist" aria-label={say("tabs.list")} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <TabButton
            key={tab.id}
            tab={tab}
            isActive={tab.id === active}
            onActivate={() => activate(tab.id)}
          />
        ))}
      </div>
      <button
        type="button"
        className="icon-button"
        aria-label={say("tabs.add")}
        title={say("tabs.add")}
        onClick={newTab}
      >
        <Icon name="plus" small />
      </button>
    </div>
  );
}

interface Props {
  readonly tab: Tab;
  readonly isActive: boolean;
  readonly onActivate: () => void;
}

function TabButton({ tab, isActive, onActivate }: Props) {
  const [isRenaming, setRenaming] = useState(false);
  const { closeTab, moveTab, renameWorkflow } = useEditor.getState();
  const dirty = isDirty(tab);
  const name = tab.workflow.name === "" ? say("canvas.untitled") : tab.workflow.name;
  return (
    <div
      className="tab"
      data-active={isActive || undefined}
      data-dirty={dirty || undefined}
      draggable={!isRenaming}
      onDragStart={(event) => event.dataTransfer.setData("application/x-darkroom-tab", tab.id)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const moved = event.dataTransfer.getData("application/x-darkroom-tab");
        if (moved !== "") moveTab(moved, tab.id);
      }}
      onAuxClick={(event) => {
        if (event.button === 1) closeTab(tab.id);
      }}
    >
      {isRenaming ? (
        <LineField
          text={name}
          label={say("tabs.rename")}
          onDone={(text) => {
            if (text !== null && text !== name) renameWorkflow(text);
            setRenaming(false);
          }}
        />
      ) : (
        <button
          type="button"
          role="tab"
          className="tab-name"
          aria-selected={isActive}
          tabIndex={isActive ? 0 : -1}
          aria-label={dirty ? say("tabs.unsaved", { name }) : name}
          title={tab.file?.name ?? name}
          onClick={onActivate}
          onDoubleClick={() => setRenaming(true)}
        >
          {name}
          {dirty && <span className="tab-dirty" aria-hidden="true" />}
        </button>
      )}
      <button
        type="button"
        className="tab-close"
        tabIndex={-1}
        aria-label={say("tabs.close", { name })}
        onClick={() => closeTab(tab.id)}
      >
        <Icon name="close" small />
      </button>
    </div>
  );
}
