// The beginning of an object, as what it is: text, JSON, a report of an evaluation, an image, TFRecords by example, the shape of an .npy.
import { useEffect, useState } from "preact/hooks";
import { describeNpy } from "../data/formats";
import { reportOf, type Report } from "../data/reports";
import { readStart } from "../data/storage";
import { bytes } from "../format";
import { useLoaded } from "../live";
import type { Json } from "../wire";
import { Confusion } from "./Confusion";
import { Examples } from "./Examples";
import { Problem } from "./pieces";

const MOST = 256 * 1024, MOST_IMAGE = 20 * 1024 * 1024;
const IMAGES: Record<string, string> = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", svg: "image/svg+xml" };

type Shown = { kind: "text"; text: string } | { kind: "image"; address: string } | { kind: "report"; report: Report } | { kind: "examples" };

async function look(bucket: string, key: string): Promise<Shown> {
  const ending = key.slice(key.lastIndexOf(".") + 1).toLowerCase();
  if (ending === "tfrecord" || ending === "tfrecords") return { kind: "examples" };
  const type = IMAGES[ending];
  // An <img> runs no script, also of an SVG's.
  if (type) return { kind: "image", address: URL.createObjectURL(new Blob([await readStart(bucket, key, MOST_IMAGE) as BlobPart], { type })) };
  const start = await readStart(bucket, key, MOST);
  if (ending === "npy") return { kind: "text", text: describeNpy(start) };
  const text = new TextDecoder().decode(start);
  if (text.includes("\0")) return { kind: "text", text: hexOf(start) };
  if (ending === "json") try {
    const value = JSON.parse(text) as Json;
    const report = reportOf(value);
    return report ? { kind: "report", report } : { kind: "text", text: JSON.stringify(value, null, 2) };
  } catch { /* cut off, or not JSON: as it is */ }
  return { kind: "text", text };
}

const hexOf = (start: Uint8Array) => Array.from({ length: Math.min(64, Math.ceil(start.length / 16)) }, (_, row) => {
  const piece = [...start.subarray(16 * row, 16 * row + 16)];
  return piece.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(48) + " " + piece.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
}).join("\n");

export function Preview({ bucket, objectKey, size }: { bucket: string; objectKey: string; size?: number }) {
  const shown = useLoaded<Shown>(() => (size === 0 ? Promise.resolve<Shown>({ kind: "text", text: "" }) : look(bucket, objectKey)), [bucket, objectKey]);
  const [scale, setScale] = useState(1); // small pictures are shown larger
  const value = shown.value;
  useEffect(() => () => { if (value?.kind === "image") URL.revokeObjectURL(value.address); }, [value]);
  return (
    <section aria-label="Preview">
      <h2>{objectKey.split("/").pop()} <small>{size === undefined ? "" : bytes(size)}</small></h2>
      <Problem of={shown.problem} />
      {value?.kind === "image" ? <><img src={value.address} alt={objectKey} style={{ imageRendering: "pixelated" }} onLoad={(event) => setScale(event.currentTarget.naturalWidth < 128 ? 4 : 1)} class={`scale-${scale}`} /></> : null}
      {value?.kind === "report" ? <Confusion report={value.report} bucket={bucket} reportKey={objectKey} /> : null}
      {value?.kind === "examples" ? <Examples bucket={bucket} objectKey={objectKey} /> : null}
      {value?.kind === "text" ? <pre tabIndex={0} class="preview">{value.text}</pre> : null}
      {size !== undefined && size > MOST && value?.kind === "text" ? <p>Of the first {bytes(MOST)}.</p> : null}
    </section>
  );
}
