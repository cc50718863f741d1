// Records of TFRecord files one by one, and the picture in a tf.Example where there is one. Whatever a file claims is checked against its
// bytes.
import { fields } from "./formats";
import { objectAddress } from "./storage";
import { request } from "../wire";

export interface ExampleRecord {
  number: number;
  bytes: Uint8Array;
}

const CHUNK = 1 << 20, LONGEST = 64 << 20;

// Reads an object's records from the first on, a piece of the object at a time.
export class RecordReader {
  private held = new Uint8Array();
  private from = 0; // where `held` begins in the object
  private at = 0; // in `held`
  private number = 0;
  private whole = false;
  constructor(private readonly bucket: string, private readonly key: string) {}

  get read(): number { return this.from + this.at; }

  // undefined behind the last one. Throws where the file is none of records.
  async next(): Promise<ExampleRecord | undefined> {
    if (!(await this.have(12))) return undefined;
    const view = new DataView(this.held.buffer, this.held.byteOffset + this.at);
    const size = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    if (size > LONGEST) throw new Error(`Record ${this.number}: ${size} bytes; the file is none of records, or they are too long to be shown.`);
    if (!(await this.have(size + 16))) throw new Error(`Record ${this.number} is cut off.`);
    const bytes = this.held.subarray(this.at + 12, this.at + 12 + size);
    this.at += size + 16;
    return { number: this.number++, bytes };
  }

  private async have(count: number): Promise<boolean> {
    while (this.held.length - this.at < count && !this.whole) {
      const begin = this.from + this.held.length, size = Math.max(CHUNK, count);
      const response = await request("GET", objectAddress(this.bucket, this.key), undefined, { Range: `bytes=${begin}-${begin + size - 1}` });
      const more = new Uint8Array(await response.arrayBuffer());
      const total = Number(/\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? more.length);
      this.whole = more.length === 0 || begin + more.length >= total;
      const joined = new Uint8Array(this.held.length - this.at + more.length);
      joined.set(this.held.subarray(this.at));
      joined.set(more, this.held.length - this.at);
      this.from += this.at;
      this.held = joined;
      this.at = 0;
    }
    return this.held.length - this.at >= count;
  }
}

export type Picture = { kind: "pixels"; side: number; rgba: Uint8ClampedArray<ArrayBuffer> } | { kind: "encoded"; type: string; bytes: Uint8Array };

// Red, green and blue planes one after the other, as CIFAR-10 has them.
function pixelsOf(planes: Uint8Array, side: number): Picture {
  const rgba = new Uint8ClampedArray(4 * side * side);
  for (let i = 0; i < side * side; i++) {
    for (let channel = 0; channel < 3; channel++) rgba[4 * i + channel] = planes[channel * side * side + i]!;
    rgba[4 * i + 3] = 255;
  }
  return { kind: "pixels", side, rgba };
}

function pictureOfBytes(bytes: Uint8Array): Picture | undefined {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return { kind: "encoded", type: "image/png", bytes };
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return { kind: "encoded", type: "image/jpeg", bytes };
  const side = Math.sqrt(bytes.length / 3);
  return Number.isInteger(side) && side >= 8 && side <= 1024 ? pixelsOf(bytes, side) : undefined;
}

export function pictureOf(example: Uint8Array): Picture | undefined {
  for (const features of fields(example)) for (const entry of fields(features.bytes)) for (const part of fields(entry.bytes))
    if (part.number === 2) for (const list of fields(part.bytes)) if (list.number === 1) for (const value of fields(list.bytes)) {
      const picture = pictureOfBytes(value.bytes);
      if (picture) return picture;
    }
  return undefined;
}
