import { useEffect, useRef, useState } from "react";
import type { DragEvent } from "react";

import { thumbnailUrl, pictureUrl } from "../api/client";
import { ApiError } from "../api/problems";
import { Icon } from "../look/Icon";
import { setInput } from "../graph/commands/inputs";
import { PICTURE_KIND } from "../state/gallery";
import { samePath } from "../graph/graphs";
import { useEditor } from "../state/store";
import { activePath } from "../state/tabs";
import { say, sayError } from "../words";
import { Picker } from "./Picker";
import type { FieldPlace } from "./props";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onPaint?: (() => void) | undefined;
  /** Where the value stands, so that a picture that was long in coming gets there. */
  readonly place?: FieldPlace | undefined;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
}

/** The first picture among what was dropped or pasted. */
function pictureIn(data: DataTransfer): File | undefined {
  return [...data.files].find((file) => file.type.startsWith("image/"));
}

/** What else was dropped is for the page. */
function takeOthers(data: DataTransfer, taken: File | undefined): void {
  const others = [...data.files].filter((file) => file !== taken);
  if (others.length > 0) void useEditor.getState().openDropped(others);
}

/** Sends a file, or a picture that was made by its address, and tells how far that is or why it failed. */
function useSending(onChange: (value: string) => void, place: FieldPlace | undefined) {
  const send = useEditor((state) => state.sendPicture);
  const copy = useEditor((state) => state.asUpload);
  const [share, setShare] = useState<number | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const start = async (source: Blob | string) => {
    const begun = useEditor.getState();
    const from = { tab: begun.activeTab, path: activePath(begun) };
    setShare(0);
    setFault(null);
    try {
      const name = typeof source === "string" ? await copy(source) : await send(source, setShare);
      const now = useEditor.getState();
      if (place !== undefined) {
        const { path, node, input } = place;
        now.performIn(from.tab, setInput(path, node, input, name));
      } else if (now.activeTab === from.tab && samePath(activePath(now), from.path)) onChange(name);
      else now.notify("info", say("widget.sentElsewhere", { name }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFault(sayError(error));
    } finally {
      setShare(null);
    }
  };
  return { share, fault, start };
}

/** A picture: dropped, pasted, sent from a file, or one of those that were sent before. */
export function PictureBox({
  label,
  value,
  onChange,
  onPaint,
  place,
  disabled = false,
  ...rest
}: Props) {
  const uploads = useEditor((state) => state.uploads);
  const reading = useEditor((state) => state.uploadsReading);
  const refresh = useEditor((state) => state.refreshUploads);
  const sending = useSending(onChange, place);
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    if (reading === "unread") void refresh();
  }, [reading, refresh]);

  const onDrop = (event: DragEvent) => {
    setIsOver(false);
    const file = pictureIn(event.dataTransfer);
    const source = file ?? event.dataTransfer.getData(PICTURE_KIND);
    if (disabled || source === "") return;
    event.preventDefault();
    event.stopPropagation();
    void sending.start(source);
    takeOthers(event.dataTransfer, file);
  };

  return (
    <div
      className={isOver ? "picture-box nodrag over" : "picture-box nodrag"}
      onDragOver={(event) => {
        if (disabled || !mayDrop(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={onDrop}
      onPaste={(event) => {
        const file = pictureIn(event.clipboardData);
        if (file === undefined || disabled) return;
        event.preventDefault();
        event.stopPropagation();
        void sending.start(file);
      }}
    >
      <Shown key={value} value={value} share={sending.share} isOver={isOver} />
      <div className="picture-row">
        <Picker
          label={label}
          chosen={value}
          disabled={disabled}
          problem={rest.invalid === true ? "" : undefined}
          describedBy={rest.describedBy}
          picks={uploads.map(({ name }) => ({ key: name, title: name }))}
          onPick={onChange}
        />
        <FileButton label={label} disabled={disabled} onFile={(file) => void sending.start(file)} />
        {onPaint !== undefined && (
          <button
            type="button"
            className="icon-button framed"
            aria-label={`${say("widget.paint")}, ${label}`}
            title={say("widget.paint")}
            disabled={disabled || value === ""}
            onClick={onPaint}
          >
            <Icon name="brush" />
          </button>
        )}
      </div>
      {sending.fault !== null && (
        <p className="field-problem" role="alert">
          <Icon name="warning" small />
          {sending.fault}
        </p>
      )}
    </div>
  );
}

const mayDrop = (data: DataTransfer) =>
  data.types.includes("Files") || data.types.includes(PICTURE_KIND);

interface ShownProps {
  readonly value: string;
  readonly share: number | null;
  readonly isOver: boolean;
}

function Shown({ value, share, isOver }: ShownProps) {
  const [isMissing, setIsMissing] = useState(false);
  if (share !== null)
    return (
      <div className="picture-shown">
        <progress value={share} aria-label={say("widget.uploading")} />
      </div>
    );
  if (value !== "" && !isMissing && !isOver)
    return (
      <div className="picture-shown">
        <img
          src={thumbnailUrl(pictureUrl(value), 512)}
          alt={value}
          draggable={false}
          onError={() => setIsMissing(true)}
        />
      </div>
    );
  return (
    <div className="picture-shown none">
      <Icon name="image" />
      <span>{isOver ? say("widget.dropped") : value === "" ? say("widget.dropHere") : value}</span>
    </div>
  );
}

interface FileButtonProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onFile: (file: File) => void;
}

function FileButton({ label, disabled, onFile }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="icon-button framed"
        aria-label={`${say("widget.upload")}, ${label}`}
        title={say("widget.upload")}
        disabled={disabled}
        onClick={() => input.current?.click()}
      >
        <Icon name="upload" />
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file !== undefined) onFile(file);
        }}
      />
    </>
  );
}
