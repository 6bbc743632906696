/** Pictures that differ, for as many nodes as are wanted. */

import { deflateSync } from "node:zlib";

import type { Darkroom } from "./darkroom";

/** Upload so many different pictures; their names. */
export async function sendPictures(darkroom: Darkroom, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let number = 0; number < count; number++) {
    const answer = await fetch(`${darkroom.url}/api/v1/uploads?name=measure-${number}.png`, {
      method: "POST",
      headers: { "Content-Type": "image/png" },
      body: new Uint8Array(picture(512, number)),
    });
    const told = (await answer.json()) as { name: string };
    names.push(told.name);
  }
  return names;
}

/** A picture as PNG: a square with a gradient that is another one for each seed. */
function picture(side: number, seed: number): Buffer {
  const row = (y: number) =>
    Buffer.from([0, ...Array.from({ length: side * 3 }, (_, i) => (i * (seed + 1) + y * 3) & 255)]);
  const pixels = Buffer.concat(Array.from({ length: side }, (_, y) => row(y)));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const parts = [
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(checksum(body), body.length + 4);
  return whole;
}

function checksum(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
