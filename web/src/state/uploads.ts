/** The pictures that were sent to the server, for inputs that take one. */

import { createClient, type Client } from "../api/client";
import type { Upload } from "../api/shapes";
import type { Reading } from "./models";
import type { Slice } from "./store";

export interface UploadsSlice {
  readonly uploads: readonly Upload[];
  readonly uploadsReading: Reading;
  readonly refreshUploads: () => Promise<void>;
  /** Send a picture; the name that it has then. Throws an `ApiError`. */
  readonly sendPicture: (file: Blob, onProgress?: (share: number) => void) => Promise<string>;
}

type Asked = Pick<Client, "listUploads" | "upload">;

/** The slice with a server of one's own: for tests. */
export const uploadsSliceIn =
  (server: Asked): Slice<UploadsSlice> =>
  (set, get) => ({
    uploads: [],
    uploadsReading: "unread",
    refreshUploads: async () => {
      set({ uploadsReading: "reading" });
      try {
        set({ uploads: await server.listUploads(), uploadsReading: "read" });
      } catch {
        set({ uploadsReading: "failed" });
      }
    },
    sendPicture: async (file, onProgress) => {
      const sent = await server.upload(file, onProgress === undefined ? {} : { onProgress });
      void get().refreshUploads();
      return sent.name;
    },
  });

export const uploadsSlice: Slice<UploadsSlice> = (...store) =>
  uploadsSliceIn(createClient())(...store);
