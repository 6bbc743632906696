/** The server's events, followed over lost connections and reloads of the page. */

import type { Connection } from "../api/socket";
import { knowing } from "./knowing";
import { listening } from "./listening";
import { recalling } from "./recalling";
import type { Surroundings } from "./running";
import type { Following } from "./server";
import type { EditorState, SetState } from "./store";

export function following(
  around: Surroundings,
  set: SetState,
  get: () => EditorState,
  flush: () => Promise<void>,
) {
  const { server } = around;
  const knowledge = knowing(around, set, get);
  const { take, look } = listening(around, set, get, knowledge);
  const { reread, rebuild } = recalling(around, set, get, knowledge, take);
  let socket: Following | null = null;

  /** Catch up with all that happened while nobody listened. */
  const catchUp = async () => {
    await reread();
    await rebuild();
    get().signedIn();
    await flush();
  };

  /** A socket does not say why it was refused; a request does. */
  const probe = () => server.listJobs({ limit: 1 }).then(get().signedIn, get().report);

  const connect = (connection: Connection) => {
    const wasLost = get().connection === "lost";
    set((state) => ({
      connection,
      isBack: connection === "open" ? wasLost || state.isBack : false,
    }));
    if (connection === "lost") void probe();
    if (connection !== "open") return;
    // It may be another server now, with other nodes.
    if (wasLost || get().catalogueState === "failed") void get().loadCatalogue();
    void catchUp().catch(get().report);
  };

  return {
    start: () => {
      socket = server.follow({ onEvent: take, onPreview: look, onConnection: connect });
      return () => {
        knowledge.unfollowAll();
        socket?.stop();
        socket = null;
      };
    },
    hasten: () => {
      socket?.hasten();
      if (get().isSignedOut) void catchUp().catch(get().report);
    },
    /** To be asked when another tab is shown: its run may not be known yet. */
    rebuild,
  };
}
