/** What the run that is shown says of the nodes of the graph that is shown. */

import { nodeIds } from "../graph/graphs";
import type { NodeId } from "../graph/ids";
import { problemsOf } from "../state/problems";
import type { RunState } from "../state/running";
import { useEditor, type EditorState } from "../state/store";
import { activeGraph, activeTab } from "../state/tabs";

/** The id of a node with those of the nodes around it, as runs and problems name it. */
export const addressIn = (state: EditorState, id: NodeId): string =>
  [...activeTab(state).trail, id].join("/");

export const useRunState = (id: NodeId): RunState =>
  useEditor((state) => state.nodeRuns[addressIn(state, id)]?.state ?? "idle");

/** Between 0 and 1, while it runs and is known. */
export const useProgress = (id: NodeId): number | undefined =>
  useEditor((state) => state.nodeRuns[addressIn(state, id)]?.progress);

/** The address of a small picture: the live preview, or the last one that it made. */
export const usePicture = (id: NodeId): string | undefined =>
  useEditor((state) => state.nodeRuns[addressIn(state, id)]?.picture);

/** The addresses of the pictures that it made last, the newest first; none for fewer than two. */
export const useResults = (id: NodeId): readonly string[] | undefined =>
  useEditor((state) => state.nodeRuns[addressIn(state, id)]?.results);

/** What is wrong with a node, or with one input of it, and keeps it from running. */
export const useProblem = (id: NodeId, input?: string): string | undefined =>
  useEditor(
    (state) =>
      problemsOf(state, addressIn(state, id), input).find((each) => each.isWarning !== true)
        ?.message,
  );

/** What is wrong with a node that nothing needs. */
export const useWarning = (id: NodeId): string | undefined =>
  useEditor(
    (state) =>
      problemsOf(state, addressIn(state, id)).find((each) => each.isWarning === true)?.message,
  );

/** The nodes that have room for a picture: those that showed one, as one text that can be compared. */
export function picturesIn(state: EditorState): string {
  return nodeIds(activeGraph(state))
    .filter((id) => state.nodeRuns[addressIn(state, id)]?.picture !== undefined)
    .join("\n");
}
