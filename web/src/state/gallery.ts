/** The pictures that were made, and which of them is looked at. */

import type { GalleryFile, Job, OutputFile } from "../api/shapes";
import { setInput } from "../graph/commands/inputs";
import type { GraphPath, NodeId } from "../graph/ids";
import { attempting } from "./attempts";
import { pageServer, type Server } from "./server";
import type { EditorState, Slice } from "./store";

/** The kind of what a picture that was made lets drag: its address. */
export const PICTURE_KIND = "application/x-darkroom-picture";

/** A picture of a job. */
export interface Picture {
  readonly job: Job;
  readonly file: OutputFile;
  /** The workflow's output that it is. */
  readonly output: string;
  /** Its place in a sweep; null outside. */
  readonly labels: unknown;
}

/** An input that takes the name of a picture file. */
export interface PictureInput {
  readonly path: GraphPath;
  readonly node: NodeId;
  readonly input: string;
}

/** What is looked at in the centre, in place of the graph. Pictures are named by their addresses. */
export type Stage =
  | { readonly kind: "picture"; readonly url: string }
  | { readonly kind: "compare"; readonly left: string; readonly right: string }
  | { readonly kind: "sweep"; readonly job: string }
  | ({ readonly kind: "paint" } & PictureInput)
  | ({ readonly kind: "frame" } & Omit<PictureInput, "input">);

export interface GallerySlice {
  readonly gallery: readonly GalleryFile[];
  /** Where the next page begins; null at the end, undefined before anything was read. */
  readonly galleryNext: string | null | undefined;
  readonly galleryWish: { readonly text: string; readonly starred: boolean };
  readonly stage: Stage | null;
  /** What files carry, by their addresses. */
  readonly details: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly show: (stage: Stage | null) => void;
  /** Read the newest pictures again, with another wish if one is given. */
  readonly readGallery: (wish?: Partial<GallerySlice["galleryWish"]>) => Promise<boolean>;
  readonly readMoreGallery: () => Promise<boolean>;
  /** Whether pictures have a star that are in no page of the gallery, by their addresses. */
  readonly stars: Readonly<Record<string, boolean>>;
  /** Find out whether a picture has a star. */
  readonly readStar: (url: string) => Promise<boolean>;
  readonly readDetails: (url: string) => Promise<boolean>;
  readonly starPicture: (url: string, starred: boolean) => Promise<boolean>;
  readonly deletePicture: (url: string) => Promise<boolean>;
  /** Give a painted mask to the server; the name under which inputs find it. */
  readonly sendMask: (mask: Blob, name: string) => Promise<string>;
  /** Copy a picture that was made to those that inputs can name; the name. */
  readonly asUpload: (url: string) => Promise<string>;
  readonly useAsInput: (url: string, place: PictureInput) => Promise<boolean>;
}

export const gallerySlice: Slice<GallerySlice> = (...store) =>
  gallerySliceIn(pageServer())(...store);

const PAGE = 60;
/** As many files as the server tells of at once. */
const MOST = 500;

/** The slice with a server of one's own: for tests. */
export const gallerySliceIn =
  (server: Server): Slice<GallerySlice> =>
  (set, get) => {
    const attempt = attempting(get);
    const copies = new Map<string, string>();
    let asked = 0;

    const read = async (after: string | null) => {
      const question = (asked += 1);
      const { text, starred } = get().galleryWish;
      const page = await server.listGallery({
        limit: PAGE,
        after,
        starred,
        ...(text.trim() !== "" && { text: text.trim() }),
      });
      if (question !== asked) return;
      const files = page.files.filter((file) => file.media_type.startsWith("image/"));
      set(({ gallery }) => ({
        gallery: after === null ? files : [...gallery, ...files],
        galleryNext: page.next,
        stars: {},
      }));
    };

    const asUpload = async (url: string): Promise<string> => {
      const known = copies.get(url);
      if (known !== undefined) return known;
      const name = url.split("/").at(-1) ?? "picture.png";
      const { name: given } = await server.upload(await server.readFile(url), {
        name: decodeURIComponent(name),
      });
      copies.set(url, given);
      return given;
    };

    return {
      gallery: [],
      galleryNext: undefined,
      galleryWish: { text: "", starred: false },
      stage: null,
      details: {},
      show: (stage) => set({ stage }),
      readGallery: (wish = {}) =>
        attempt(async () => {
          set(({ galleryWish }) => ({ galleryWish: { ...galleryWish, ...wish } }));
          await read(null);
        }),
      readMoreGallery: () =>
        attempt(async () => {
          const { galleryNext } = get();
          if (typeof galleryNext === "string") await read(galleryNext);
        }),
      stars: {},
      readStar: (url) =>
        attempt(async () => {
          const { files } = await server.listGallery({ text: jobIdIn(url), limit: MOST });
          const found = Object.fromEntries(files.map((file) => [file.url, file.starred]));
          set(({ stars }) => ({ stars: { ...stars, ...found } }));
        }),
      readDetails: (url) =>
        attempt(async () => {
          if (get().details[url] !== undefined) return;
          const told = await server.readMetadata({ url });
          set(({ details }) => ({ details: { ...details, [url]: told } }));
        }),
      starPicture: (url, starred) =>
        attempt(async () => {
          await server.starOutput({ url }, starred);
          set(({ gallery, stars }) => ({
            gallery: gallery.map((file) => (file.url === url ? { ...file, starred } : file)),
            stars: { ...stars, [url]: starred },
          }));
        }),
      deletePicture: (url) =>
        attempt(async () => {
          const { gallery, stage } = get();
          const at = gallery.findIndex((file) => file.url === url);
          await server.deleteOutput({ url });
          const left = gallery.filter((file) => file.url !== url);
          const next = left[Math.min(Math.max(at, 0), left.length - 1)];
          const isShown = stage?.kind === "picture" && stage.url === url;
          set({
            gallery: left,
            ...(isShown && {
              stage: next === undefined ? null : { kind: "picture", url: next.url },
            }),
          });
        }),
      sendMask: async (mask, name) => (await server.upload(mask, { name })).name,
      asUpload,
      useAsInput: (url, { path, node, input }) =>
        attempt(async () => {
          const tab = get().activeTab;
          get().performIn(tab, setInput(path, node, input, await asUpload(url)));
        }),
    };
  };

/** The pictures that a job delivered, in the order of its outputs and cells. */
export function picturesOf(job: Job): readonly Picture[] {
  const found = Object.entries(job.outputs).flatMap(([output, given]): readonly Picture[] => [
    ...(given.files ?? []).map((file) => ({ job, file, output, labels: null })),
    ...(given.cells ?? []).flatMap((cell) =>
      (cell.files ?? []).map((file) => ({ job, file, output, labels: cell.labels })),
    ),
  ]);
  return found.filter(({ file }) => file.media_type.startsWith("image/"));
}

/** The job of a picture, by the picture's address. */
export const jobOf = (state: Pick<EditorState, "jobs">, url: string): Job | undefined =>
  Object.values(state.jobs).find((job) => url.includes(`/jobs/${job.id}/`));

/** The id of the job that an address of a picture names. */
export const jobIdIn = (url: string): string => /\/jobs\/([^/]+)\//.exec(url)?.[1] ?? "";
