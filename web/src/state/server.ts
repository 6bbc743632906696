/** What the state asks of the server. The browser's is made of api/, a test's is a fake. */

import { createClient, type Client } from "../api/client";
import { followJob } from "../api/past";
import { EventSocket, type Listeners, type ServerEvent } from "../api/socket";

type Asked = Pick<
  Client,
  | "submit"
  | "listJobs"
  | "readJob"
  | "readJobDocument"
  | "listJobNodes"
  | "cancelJob"
  | "cancelJobs"
  | "retryJob"
  | "moveJob"
  | "deleteJobs"
  | "plan"
  | "readMetadata"
  | "upload"
>;

export interface Server extends Asked {
  /** Follow all events from now on, over lost connections. */
  readonly follow: (listeners: Listeners) => Following;
  /** Follow a job from its beginning to its end; the answer stops that. */
  readonly followJob: (job: string, heard: (event: ServerEvent) => void) => () => void;
}

export interface Following {
  /** Look at once whether the server is back. */
  readonly hasten: () => void;
  readonly stop: () => void;
}

/** The server that the page came from. */
export function pageServer(): Server {
  return {
    ...createClient(),
    followJob,
    follow: (listeners) => {
      const socket = new EventSocket(listeners, { previews: true });
      const hasten = () => socket.hasten();
      socket.start();
      window.addEventListener("online", hasten);
      return {
        hasten,
        stop: () => {
          window.removeEventListener("online", hasten);
          socket.stop();
        },
      };
    },
  };
}
