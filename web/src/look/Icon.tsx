/** The icons: drawn on 20 × 20 with one stroke of 1.5. */

const paths = {
  nodes: "M3 4.5h5v4H3zM12 11.5h5v4h-5zM8 6.5h2.5q1.5 0 1.5 1.5v4q0 1.5 1.5 1.5",
  workflows: "M5 3h7l3.5 3.5V17H5zM12 3v3.5h3.5M7.5 10h5.5M7.5 13h4",
  models: "M10 2.8 16.2 6.2v7.1L10 16.8l-6.2-3.5V6.2zM3.8 6.2 10 9.7l6.2-3.5M10 9.7v7",
  gallery: "M3 4.5h14v11H3zM3 13l4-4 3.2 3.2L12.5 10 17 14M13 7.5h.01",
  settings:
    "M3 6h7M14 6h3M3 14h3M10 14h7M12 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6M8 12.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6",
  search: "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M13 13l4 4",
  close: "m5.5 5.5 9 9M14.5 5.5l-9 9",
  plus: "M10 4.5v11M4.5 10h11",
  minus: "M4.5 10h11",
  "chevron-down": "m5.5 8 4.5 4.5L14.5 8",
  "chevron-up": "M5.5 12.5 10 8l4.5 4.5",
  "chevron-right": "M8 5.5 12.5 10 8 14.5",
  "chevron-left": "M12.5 5.5 8 10l4.5 4.5",
  dice: "M4 4h12v12H4zM7.3 7.3h.01M12.7 7.3h.01M10 10h.01M7.3 12.7h.01M12.7 12.7h.01",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  increment: "M3.5 10h7M7 6.5v7M13 7.5 15.5 6v8",
  image: "M3.5 4.5h13v11h-13zM3.5 13 7 9.5l3 3 2-2 4.5 4M13 7.5h.01",
  upload: "M10 13V4M6.5 7.5 10 4l3.5 3.5M4 13v3h12v-3",
  download: "M10 4v9M6.5 9.5 10 13l3.5-3.5M4 13v3h12v-3",
  brush: "m9 11 6.5-7 .8.8L9.7 11.9M8.7 11q1.6.6 1.3 2.3-.6 3-6.5 2.7 1.7-.8 1.9-2.5.5-2.7 3.3-2.5",
  link: "M8.5 11.5 11.5 8.5M9.5 6.5 11.3 4.7a2.8 2.8 0 0 1 4 4l-1.8 1.8M10.5 13.5l-1.8 1.8a2.8 2.8 0 0 1-4-4l1.8-1.8",
  unlink:
    "M9.5 6.5l1.8-1.8a2.8 2.8 0 0 1 4 4l-1.8 1.8M10.5 13.5l-1.8 1.8a2.8 2.8 0 0 1-4-4l1.8-1.8M4.5 4.5l11 11",
  eye: "M2.5 10Q5.5 5 10 5t7.5 5Q14.5 15 10 15t-7.5-5M10 7.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6",
  "eye-off": "M2.5 10Q5.5 5 10 5t7.5 5Q14.5 15 10 15t-7.5-5M4 16 16 4",
  refresh:
    "M16 8.5A6.2 6.2 0 0 0 4.7 7M4.5 3.8V7h3.2M4 11.5A6.2 6.2 0 0 0 15.3 13M15.5 16.2V13h-3.2",
  warning: "M10 3.5 17 16H3zM10 8.2v3.6M10 13.8v.01",
  error: "M6.9 2.8h6.2l4.1 4.1v6.2l-4.1 4.1H6.9l-4.1-4.1V6.9zM10 6.5v4.3M10 13.3v.01",
  info: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 9.3v4.2M10 6.6v.01",
  check: "m4.5 10.5 3.7 3.7L15.5 6",
  play: "M6.5 4.2v11.6L16 10z",
  stop: "M5.5 5.5h9v9h-9z",
  queue: "M3.5 5h9M3.5 10h9M3.5 15h5M15 12v5M12.5 14.5h5",
  clock: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 6v4.2l2.8 1.8",
  star: "m10 3 2.1 4.5 4.9.6-3.6 3.3 1 4.9-4.4-2.4-4.4 2.4 1-4.9L3 8.1l4.9-.6z",
  trash: "M4 5.5h12M8 5.5V3.8h4v1.7M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5",
  pencil: "m4 16 .8-3.4 8.6-8.7 2.7 2.7-8.7 8.6zM11.8 5.5l2.7 2.7",
  grip: "M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  undo: "M7 4 3.5 7.5 7 11M3.5 7.5H12a4.2 4.2 0 0 1 0 8.5H8",
  redo: "m13 4 3.5 3.5L13 11M16.5 7.5H8A4.2 4.2 0 0 0 8 16h4",
  sun: "M10 6.8a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4M10 2.5v1.3M10 16.2v1.3M2.5 10h1.3M16.2 10h1.3M4.7 4.7l.9.9M14.4 14.4l.9.9M15.3 4.7l-.9.9M5.6 14.4l-.9.9",
  moon: "M15.8 11.8A6.5 6.5 0 1 1 8.2 4.2a5.2 5.2 0 0 0 7.6 7.6",
  form: "M3.5 4h13v4.5h-13zM3.5 11.5h8M3.5 15.5h5",
  inspect: "M3.5 5.5H8M12 5.5h4.5M3.5 14.5h7M14.5 14.5h2M10 3.5v4M12.5 12.5v4",
  keyboard: "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M7 11.5h6",
  fit: "M3.5 7V3.5H7M13 3.5h3.5V7M16.5 13v3.5H13M7 16.5H3.5V13",
  group: "M3.5 6.5h13v10h-13zM3.5 6.5v-3h6l1.5 3",
  note: "M4 4h12v8.5L12.5 16H4zM16 12.5h-3.5V16M7 7.5h6M7 10.5h3.5",
  mute: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M5 5l10 10",
  bypass: "M2.5 13.5h3a4.5 4.5 0 0 1 9 0h3M14.8 10.8l2.7 2.7-2.7 2.7",
  sweep: "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
  folder: "M2.8 5h5l1.7 2h7.7v9H2.8z",
  "arrow-up": "M10 16V4M5.5 8.5 10 4l4.5 4.5",
  "arrow-down": "M10 4v12M5.5 11.5 10 16l4.5-4.5",
  compare: "M3.5 4.5h13v11h-13zM10 2.5v15M6 10h1.5M12.5 10H14",
  history: "M3.7 8A6.6 6.6 0 1 1 3.5 11M3.5 4.5V8H7M10 6.5v4l2.5 1.5",
  pin: "M7.5 3h5l-.7 5.2 2.7 2.8h-9l2.7-2.8zM10 11v6",
  target: "M10 4.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M10 2v3.5M10 14.5V18M2 10h3.5M14.5 10H18",
  swap: "M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3",
  reset: "M4.2 6.5A7 7 0 1 1 3 10M4 3v3.7h3.7",
  sidebar: "M3 4h14v12H3zM12.5 4v12",
  strip: "M3 4h14v12H3zM3 12h14",
} as const;

export type IconName = keyof typeof paths;

export const iconNames = Object.keys(paths);

interface Props {
  readonly name: IconName;
  readonly small?: boolean;
}

export function Icon({ name, small = false }: Props) {
  return (
    <svg className={small ? "icon icon-small" : "icon"} viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
