import { useMemo, useState } from "react";

import { thumbnailUrl } from "../api/client";
import { useEditor } from "../state/store";
import { say } from "../words";
import { cellAt, sweepOf, type Sweep } from "./grid";
import { Thumbnail } from "./Thumbnail";
import { Tool } from "./Viewer";
import "./stage.css";

interface Props {
  readonly id: string;
  /** Absent where the grid stands for as long as the form does. */
  readonly onClose?: () => void;
}

/** A sweep as a table of pictures: two axes across and down, the others chosen. */
export function SweepGrid({ id, onClose }: Props) {
  const job = useEditor((state) => state.jobs[id]);
  const sweep = useMemo(() => (job === undefined ? null : sweepOf(job)), [job]);
  const [isTurned, setIsTurned] = useState(false);
  const [held, setHeld] = useState<Readonly<Record<string, string>>>({});
  const [size, setSize] = useState(160);
  if (sweep === null) return null;
  // The longest axis across; the next one down.
  const [first, second, ...rest] = sweep.axes.toSorted((a, b) => b.labels.length - a.labels.length);
  const [across, down] = isTurned ? [second, first] : [first, second];
  const fixed = Object.fromEntries(
    rest.map(({ name, labels }) => [name, held[name] ?? labels[0] ?? ""]),
  );
  return (
    <section className="viewer sweep" aria-label={say("sweep.label")}>
      <div className="stage-bar">
        {rest.map(({ name, labels }) => (
          <label key={name} className="sweep-held">
            {name}
            <select
              value={fixed[name]}
              onChange={(event) => setHeld({ ...held, [name]: event.target.value })}
            >
              {labels.map((label) => (
                <option key={label}>{label}</option>
              ))}
            </select>
          </label>
        ))}
        <span className="stage-gap" />
        <input
          type="range"
          aria-label={say("sweep.size")}
          min={64}
          max={512}
          step={16}
          value={size}
          onChange={(event) => setSize(event.target.valueAsNumber)}
        />
        {second !== undefined && (
          <Tool
            icon="swap"
            label={`${say("sweep.rows")} / ${say("sweep.columns")}`}
            onAct={() => setIsTurned(!isTurned)}
          />
        )}
        {onClose !== undefined && <Tool icon="close" label={say("viewer.close")} onAct={onClose} />}
      </div>
      <div className="sweep-area">
        <Table
          sweep={sweep}
          across={across?.name}
          columns={across?.labels ?? [""]}
          down={down?.name}
          rows={down?.labels ?? [""]}
          fixed={fixed}
          size={size}
        />
      </div>
    </section>
  );
}

interface TableProps {
  readonly sweep: Sweep;
  readonly across: string | undefined;
  readonly columns: readonly string[];
  readonly down: string | undefined;
  readonly rows: readonly string[];
  readonly fixed: Readonly<Record<string, string>>;
  readonly size: number;
}

function Table({ sweep, across, columns, down, rows, fixed, size }: TableProps) {
  const show = useEditor((state) => state.show);
  const cellOf = (row: string, column: string) =>
    cellAt(sweep, {
      ...fixed,
      ...(across !== undefined && { [across]: column }),
      ...(down !== undefined && { [down]: row }),
    });
  return (
    <table>
      <caption className="unseen">{sweep.axes.map(({ name }) => name).join(" × ")}</caption>
      <thead>
        <tr>
          <td>{[down, across].filter((name) => name !== undefined).join(" / ")}</td>
          {columns.map((column) => (
            <th key={column} scope="col" title={across}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row}>
            <th scope="row" title={down}>
              {row}
            </th>
            {columns.map((column) => {
              const cell = cellOf(row, column);
              return (
                <td key={column} style={{ width: `${size / 16}rem`, height: `${size / 16}rem` }}>
                  {cell === undefined ? (
                    <span className="quiet">{say("sweep.none")}</span>
                  ) : (
                    <button
                      type="button"
                      aria-label={Object.entries(cell.at)
                        .map(([name, label]) => `${name} ${label}`)
                        .join(", ")}
                      onClick={() => show({ kind: "picture", url: cell.picture.file.url })}
                    >
                      <Thumbnail
                        source={thumbnailUrl(cell.picture.file.url, size > 192 ? 512 : 192)}
                      />
                    </button>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
