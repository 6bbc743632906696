/** Masks as pictures: white is to be repainted. */

import { clipped, emptyMask, isEmptyBox, type Box, type Mask } from "./raster";

/** A picture of the server, ready to be drawn. */
export async function loadPicture(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d", { willReadFrequently: true });
  if (found === null) throw new Error("This browser gives no canvas to paint on");
  return found;
}

/** The mask in a picture, stretched to a size. */
export function maskOf(image: CanvasImageSource, width: number, height: number): Mask {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const drawing = context(canvas);
  drawing.drawImage(image, 0, 0, width, height);
  const { data } = drawing.getImageData(0, 0, width, height);
  const mask = emptyMask(width, height);
  for (let index = 0; index < mask.data.length; index += 1) mask.data[index] = data[index * 4] ?? 0;
  return mask;
}

/** The mask as a PNG. */
export function pngOf(mask: Mask): Promise<Blob> {
  const canvas = drawn(mask);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("The mask could not be made a picture"));
      else resolve(blob);
    }, "image/png"),
  );
}

/** The mask as the address of a PNG: at once, where `pngOf` waits until the browser has nothing to do. */
export const addressOf = (mask: Mask): string => drawn(mask).toDataURL("image/png");

function drawn(mask: Mask): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = mask.width;
  canvas.height = mask.height;
  const picture = new ImageData(mask.width, mask.height);
  for (let index = 0; index < mask.data.length; index += 1) {
    picture.data.fill(mask.data[index] ?? 0, index * 4, index * 4 + 3);
    picture.data[index * 4 + 3] = 255;
  }
  context(canvas).putImageData(picture, 0, 0);
  return canvas;
}

/** Draw a part of the mask as a tint over the picture. */
export function drawTint(canvas: HTMLCanvasElement, mask: Mask, part: Box): void {
  const box = clipped(mask, part);
  if (isEmptyBox(box)) return;
  const across = box.right - box.left;
  const picture = new ImageData(across, box.bottom - box.top);
  const { data } = picture;
  for (let y = box.top; y < box.bottom; y += 1) {
    let to = (y - box.top) * across * 4;
    for (let x = box.left; x < box.right; x += 1, to += 4) {
      data[to] = 255;
      data[to + 1] = 64;
      data[to + 2] = 48;
      data[to + 3] = ((mask.data[y * mask.width + x] ?? 0) * 3) >> 2;
    }
  }
  context(canvas).putImageData(picture, box.left, box.top);
}

/** The name of a picture's mask. */
export const maskName = (picture: string | null): string =>
  `${(picture ?? "drawn").replace(/\.[^.]*$/, "").replace(/-mask(-\d+)?$/, "")}-mask.png`;
