/** Sending a file, with how far it is: `fetch` cannot tell that, so this is the older way. */

import { ABORTED, ApiError, told, UNREACHABLE } from "./problems";
import { address } from "./request";
import type { NewUpload } from "./shapes";

export interface Sending {
  /** What it shall be called; the file's own name by default. */
  readonly name?: string;
  /** Take the place of a file of this name, instead of a new name. */
  readonly overwrite?: boolean;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export function sendFile(url: string, file: Blob, sending: Sending): Promise<NewUpload> {
  const name = sending.name ?? (file instanceof File ? file.name : undefined);
  const request = new XMLHttpRequest();
  const { onProgress, signal } = sending;
  return new Promise((resolve, reject) => {
    const abort = () => request.abort();
    if (signal?.aborted === true) {
      reject(new ApiError(0, ABORTED, "The upload was given up."));
      return;
    }
    signal?.addEventListener("abort", abort);
    request.open("POST", address(url, { name, overwrite: sending.overwrite }));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    if (onProgress !== undefined) {
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) onProgress(event.loaded / event.total);
      };
    }
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    request.onabort = () => reject(new ApiError(0, ABORTED, "The upload was given up."));
    request.onerror = () => reject(new ApiError(0, UNREACHABLE, "The upload broke off."));
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as NewUpload);
      else {
        const later = request.getResponseHeader("Retry-After");
        reject(told(request.status, request.responseText, later));
      }
    };
    request.send(file);
  });
}
