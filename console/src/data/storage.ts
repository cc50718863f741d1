// Buckets and objects. S3 speaks XML; nobody else here does.
import { request } from "../wire";

export interface Bucket {
  name: string;
  created: string;
}

export interface ObjectRow {
  key: string;
  size: number;
  modified: string;
}

export interface Folder {
  prefixes: string[];
  objects: ObjectRow[];
  next?: string;
}

const text = (parent: Element | Document, name: string) => parent.getElementsByTagName(name)[0]?.textContent ?? "";
const parse = async (response: Response) => new DOMParser().parseFromString(await response.text(), "application/xml");
const encodeKey = (key: string) => key.split("/").map(encodeURIComponent).join("/");

const rowsOf = (document: Document): ObjectRow[] =>
  [...document.getElementsByTagName("Contents")].map((object) => ({ key: text(object, "Key"), size: Number(text(object, "Size")), modified: text(object, "LastModified") }));

export const objectAddress = (bucket: string, key: string) => `/console/objects/${encodeURIComponent(bucket)}/${encodeKey(key)}`;

export async function listBuckets(): Promise<Bucket[]> {
  const document = await parse(await request("GET", "/console/objects/"));
  return [...document.getElementsByTagName("Bucket")].map((bucket) => ({ name: text(bucket, "Name"), created: text(bucket, "CreationDate") }));
}

export async function listFolder(bucket: string, prefix: string, token?: string): Promise<Folder> {
  const query = new URLSearchParams({ "list-type": "2", delimiter: "/", prefix, "max-keys": "500", ...(token ? { "continuation-token": token } : {}) });
  const document = await parse(await request("GET", `/console/objects/${encodeURIComponent(bucket)}?${query}`));
  return {
    prefixes: [...document.getElementsByTagName("CommonPrefixes")].map((common) => text(common, "Prefix")),
    objects: rowsOf(document),
    next: text(document, "NextContinuationToken") || undefined,
  };
}

// All objects of a bucket, up to `most`.
export async function listKeys(bucket: string, most: number): Promise<{ objects: ObjectRow[]; all: boolean }> {
  const objects: ObjectRow[] = [];
  let token = "";
  do {
    const query = new URLSearchParams({ "list-type": "2", ...(token ? { "continuation-token": token } : {}) });
    const document = await parse(await request("GET", `/console/objects/${encodeURIComponent(bucket)}?${query}`));
    objects.push(...rowsOf(document));
    token = text(document, "NextContinuationToken");
  } while (token && objects.length < most);
  return { objects, all: token === "" };
}

// The first bytes of an object.
export async function readStart(bucket: string, key: string, most: number): Promise<Uint8Array> {
  const response = await request("GET", objectAddress(bucket, key), undefined, { Range: `bytes=0-${most - 1}` });
  return new Uint8Array(await response.arrayBuffer());
}

export const deleteObject = (bucket: string, key: string) => request("DELETE", objectAddress(bucket, key));

export function upload(bucket: string, key: string, file: File, progress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    sender.open("PUT", objectAddress(bucket, key));
    sender.setRequestHeader("X-Headrace-Console", "1");
    sender.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    sender.upload.onprogress = (event) => progress(event.loaded / Math.max(1, event.total));
    sender.onload = () => (sender.status < 300 ? resolve() : reject(new Error(/<Message>([^<]*)</.exec(sender.responseText)?.[1] ?? `HTTP ${sender.status}`)));
    sender.onerror = () => reject(new Error("The upload broke off."));
    sender.send(file);
  });
}
