/** Live pictures of what nodes are making: one for each node, and none that is not shown. */

export interface Previews {
  readonly put: (job: string, address: string, picture: Blob) => void;
  readonly of: (job: string) => ReadonlyMap<string, string>;
  /** Let go of the pictures of all other jobs. */
  readonly keep: (jobs: ReadonlySet<string>) => void;
}

export interface Addresses {
  readonly give: (picture: Blob) => string;
  readonly free: (address: string) => void;
}

const NONE: ReadonlyMap<string, string> = new Map();

const urls: Addresses = {
  give: (picture) => URL.createObjectURL(picture),
  free: (address) => URL.revokeObjectURL(address),
};

/** Previews whose memory is given back as soon as another takes their place. */
export function previewsKept(addresses: Addresses = urls): Previews {
  const kept = new Map<string, Map<string, string>>();
  return {
    put: (job, node, picture) => {
      const pictures = kept.get(job) ?? new Map<string, string>();
      const old = pictures.get(node);
      if (old !== undefined) addresses.free(old);
      kept.set(job, new Map(pictures).set(node, addresses.give(picture)));
    },
    of: (job) => kept.get(job) ?? NONE,
    keep: (jobs) => {
      for (const [job, pictures] of kept) {
        if (jobs.has(job)) continue;
        for (const address of pictures.values()) addresses.free(address);
        kept.delete(job);
      }
    },
  };
}
