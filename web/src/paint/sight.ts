/** Where on the picture something on the page is, and the ring that shows the brush there. */

import type { Point } from "./raster";
import type { Hand } from "./usePen";

interface OnPage {
  readonly clientX: number;
  readonly clientY: number;
}

export interface Sight {
  /** A place on the page, in pixels of the picture. */
  readonly onPicture: (event: OnPage) => Point;
  /** A place on the page, from the middle of the area. */
  readonly fromMiddle: (point: Point) => Point;
  /** Show the brush at a place on the picture. */
  readonly showRing: (at: Point) => void;
}

export function sightOf({ easel, area, sheet, ring }: Hand): Sight {
  const { mask } = easel;
  return {
    onPicture: ({ clientX, clientY }) => {
      const box = sheet.current?.getBoundingClientRect();
      if (box === undefined) return { x: 0, y: 0 };
      return {
        x: ((clientX - box.left) / box.width) * mask.width,
        y: ((clientY - box.top) / box.height) * mask.height,
      };
    },
    fromMiddle: (point) => {
      const box = area.current?.getBoundingClientRect();
      if (box === undefined) return point;
      return { x: point.x - box.x - box.width / 2, y: point.y - box.y - box.height / 2 };
    },
    showRing: (at) => {
      const style = ring.current?.style;
      const box = sheet.current?.getBoundingClientRect();
      const around = area.current?.getBoundingClientRect();
      if (style === undefined || box === undefined || around === undefined) return;
      const scale = box.width / mask.width;
      const size = Math.max(4, easel.settings.size * scale);
      const x = box.left - around.left + at.x * scale - size / 2;
      const y = box.top - around.top + at.y * scale - size / 2;
      style.setProperty("width", `${size}px`);
      style.setProperty("height", `${size}px`);
      style.setProperty("transform", `translate(${x}px, ${y}px)`);
    },
  };
}
