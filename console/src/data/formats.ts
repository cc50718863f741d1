// The formats that training data comes in, as far as a preview tells them. Whatever a file claims is checked against its bytes.

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

export function describeNpy(bytes: Uint8Array): string {
  if (text(bytes.subarray(1, 6)) !== "NUMPY") return "Not an .npy file: its first bytes are others.";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! > 1;
  const size = long ? view.getUint32(8, true) : view.getUint16(8, true), begin = long ? 12 : 10;
  return size > bytes.length - begin ? "The header is cut off." : text(bytes.subarray(begin, begin + size)).trim();
}

// Records of a TFRecord file, each a tf.Example: names, kinds, counts and first values.
export function describeTFRecords(bytes: Uint8Array, most = 20): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  let at = 0;
  for (let record = 0; record < most && at + 12 <= bytes.length; record++) {
    const size = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
    if (size > bytes.length - at - 16) { lines.push(`record ${record}: ${size} bytes, beyond what was read`); break; }
    lines.push(`record ${record}: ${size} bytes`, ...describeExample(bytes.subarray(at + 12, at + 12 + size)).map((line) => `    ${line}`));
    at += size + 16;
  }
  return lines.length ? lines.join("\n") : "No whole record.";
}

interface Field {
  number: number;
  wire: number;
  bytes: Uint8Array; // of length-delimited fields
  value: number; // of varints
}

// The fields of a protocol buffer; what is malformed ends the list.
function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0, factor = 1;
    while (at < bytes.length) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint(), wire = tag % 8, number = Math.floor(tag / 8);
    if (wire === 0) { yield { number, wire, bytes: new Uint8Array(), value: varint() }; continue; }
    const size = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : NaN;
    if (!(size <= bytes.length - at)) return;
    yield { number, wire, bytes: bytes.subarray(at, at + size), value: 0 };
    at += size;
  }
}

function describeExample(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (const features of fields(bytes)) for (const entry of fields(features.bytes)) {
    let name = "", told = "empty";
    for (const part of fields(entry.bytes)) {
      if (part.number === 1) name = text(part.bytes);
      if (part.number === 2) for (const list of fields(part.bytes)) told = describeList(list);
    }
    lines.push(`${name}: ${told}`);
  }
  return lines;
}

function describeList(list: Field): string {
  const values = [...fields(list.bytes)];
  if (list.number === 1) return `bytes, ${values.length} value${values.length === 1 ? "" : "s"} of ${values.map((value) => value.bytes.length).slice(0, 4).join(", ")} bytes`;
  const packed = values[0]?.wire === 2 ? values[0].bytes : undefined;
  if (list.number === 2) {
    const raw = packed ?? list.bytes, view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const count = packed ? Math.floor(raw.length / 4) : values.length;
    const shown = packed ? Array.from({ length: Math.min(8, count) }, (_, i) => +view.getFloat32(4 * i, true).toPrecision(6)) : [];
    return `float, ${count} values: ${shown.join(", ")}${count > shown.length ? ", …" : ""}`;
  }
  const numbers = packed ? varints(packed) : values.map((value) => value.value);
  return `int64, ${numbers.length} value${numbers.length === 1 ? "" : "s"}: ${numbers.slice(0, 8).join(", ")}${numbers.length > 8 ? ", …" : ""}`;
}

function varints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0, factor = 1;
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    if (byte < 128) { values.push(value); value = 0; factor = 1; } else factor *= 128;
  }
  return values;
}
