import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";

import { typeLook } from "../look/types";
import { useEditor } from "../state/store";
import { say } from "../words";
import { LineField } from "./LineField";
import { frameKey, noteKey, type FrameItem, type NoteItem, type RerouteItem } from "./flow";

/** A group: a frame that takes what lies in it along. */
export const FrameView = memo(function FrameView({ data, selected }: NodeProps<FrameItem>) {
  const { frame } = data;
  const key = frameKey(frame.id);
  const isRenaming = useEditor((state) => state.renaming === key);
  const { setFrameTitle, rename } = useEditor.getState();
  return (
    <div
      className="frame"
      data-selected={selected || undefined}
      style={frame.colour === undefined ? {} : { ["--tint"]: frame.colour }}
    >
      <NodeResizer isVisible={selected} minWidth={120} minHeight={80} />
      <div className="frame-head" onDoubleClick={() => rename(key)}>
        {isRenaming ? (
          <LineField
            text={frame.title}
            label={say("canvas.frameTitle")}
            onDone={(title) => {
              if (title !== null && title !== frame.title) setFrameTitle(frame.id, title);
              rename(null);
            }}
          />
        ) : (
          frame.title
        )}
      </div>
    </div>
  );
});

/** A text on the canvas. */
export const NoteView = memo(function NoteView({ data, selected }: NodeProps<NoteItem>) {
  const { note } = data;
  const key = noteKey(note.id);
  const isWriting = useEditor((state) => state.renaming === key);
  const box = useRef<HTMLTextAreaElement>(null);
  const { setNoteText, rename } = useEditor.getState();
  useEffect(() => {
    if (isWriting) box.current?.focus();
  }, [isWriting]);
  return (
    <div className="note" data-selected={selected || undefined} onDoubleClick={() => rename(key)}>
      <NodeResizer isVisible={selected} minWidth={96} minHeight={48} />
      {isWriting ? (
        <textarea
          ref={box}
          className="nodrag nowheel"
          aria-label={say("canvas.note")}
          defaultValue={note.text}
          onBlur={(event) => {
            if (event.currentTarget.value !== note.text)
              setNoteText(note.id, event.currentTarget.value);
            rename(null);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      ) : (
        note.text
      )}
    </div>
  );
});

/** A bend of a wire. */
export const RerouteView = memo(function RerouteView({ data, selected }: NodeProps<RerouteItem>) {
  return (
    <div
      className="reroute"
      data-selected={selected || undefined}
      style={{ ["--wire"]: typeLook(data.type).hue }}
    />
  );
});
