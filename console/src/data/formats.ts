// The formats that training data comes in, as far as a preview tells them. Whatever a file claims is checked against its bytes.

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const DTYPES: Record<string, string> = { f2: "float16", f4: "float32", f8: "float64", i1: "int8", i2: "int16", i4: "int32", i8: "int64", u1: "uint8", u2: "uint16", u4: "uint32", u8: "uint64", b1: "bool" };

// Kind and shape of an array, and its first values where their kind is one of numbers.
export function describeNpy(bytes: Uint8Array): string {
  if (text(bytes.subarray(1, 6)) !== "NUMPY" || bytes.length < 12) return "Not an .npy file: its first bytes are others.";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6]! > 1;
  const size = long ? view.getUint32(8, true) : view.getUint16(8, true), begin = long ? 12 : 10;
  if (size > bytes.length - begin) return "The header is cut off.";
  const header = text(bytes.subarray(begin, begin + size)).trim();
  const [, order, code = ""] = /'descr': '([<>|=])(\w+)'/.exec(header) ?? [], shape = /'shape': (\([\d, ]*\))/.exec(header)?.[1];
  if (!shape) return header;
  const kind = DTYPES[code] ?? code, columns = /'fortran_order': True/.test(header) ? ", column by column" : "";
  const values = firstValues(new DataView(bytes.buffer, bytes.byteOffset + begin + size, bytes.length - begin - size), code, order !== ">");
  return `${kind}, shape ${shape}${columns}${values.length ? `\n${values.join("  ")}  …` : ""}`;
}

function firstValues(view: DataView, code: string, little: boolean, most = 32): (number | bigint)[] {
  const readers: Record<string, (at: number) => number | bigint> = {
    f4: (at) => +view.getFloat32(at, little).toPrecision(6), f8: (at) => view.getFloat64(at, little), i1: (at) => view.getInt8(at), i2: (at) => view.getInt16(at, little),
    i4: (at) => view.getInt32(at, little), i8: (at) => view.getBigInt64(at, little), u1: (at) => view.getUint8(at), u2: (at) => view.getUint16(at, little),
    u4: (at) => view.getUint32(at, little), u8: (at) => view.getBigUint64(at, little), b1: (at) => view.getUint8(at),
  };
  const read = readers[code], width = Number(code.slice(1));
  return read ? Array.from({ length: Math.min(most, Math.floor(view.byteLength / width)) }, (_, i) => read(i * width)) : [];
}

export interface Field {
  number: number;
  wire: number;
  bytes: Uint8Array; // of length-delimited fields
  value: number; // of varints
}

// The fields of a protocol buffer; what is malformed ends the list.
export function* fields(bytes: Uint8Array): Generator<Field> {
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

export function describeExample(bytes: Uint8Array): string[] {
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
