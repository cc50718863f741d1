// Reports of `headrace evaluate`: report.json, and beside it predictions.csv, which says what each image was taken for.
import { request, type Json } from "../wire";
import { RecordReader, type ExampleRecord } from "./examples";
import { listBuckets, listKeys, objectAddress } from "./storage";

export interface ClassFigures {
  name: string;
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

export interface Report {
  accuracy: number;
  images: number;
  endpoint: string; // of what it is: an endpoint,
  model: string; // or a model
  data: string;
  classes: ClassFigures[];
  matrix: number[][]; // [true][predicted]
}

const isMatrix = (value: unknown, size: number): value is number[][] =>
  Array.isArray(value) && value.length === size && value.every((row) => Array.isArray(row) && row.length === size && row.every((count) => typeof count === "number"));

// undefined: other JSON.
export function reportOf(value: Json): Report | undefined {
  const classes = value?.classes;
  if (!Array.isArray(classes) || typeof value.accuracy !== "number" || !isMatrix(value.confusion_matrix, classes.length)) return undefined;
  return {
    accuracy: value.accuracy, images: Number(value.images), endpoint: String(value.endpoint ?? ""), model: String(value.model ?? ""), data: String(value.data ?? ""),
    classes: classes.map((one: Json) => ({ name: String(one.name), precision: Number(one.precision), recall: Number(one.recall), f1: Number(one.f1), support: Number(one.support) })),
    matrix: value.confusion_matrix,
  };
}

export async function readReport(bucket: string, key: string): Promise<Report> {
  const response = await request("GET", objectAddress(bucket, key));
  const report = reportOf((await response.json()) as Json);
  if (!report) throw new Error(`s3://${bucket}/${key} is no report of headrace evaluate.`);
  return report;
}

export interface FoundReport {
  bucket: string;
  key: string;
  modified: number;
  report: Report;
}

export interface Search {
  found: FoundReport[];
  partly: string[]; // buckets of which only the first keys were looked at
}

const MOST_KEYS = 20_000, LARGEST = 4 << 20;

// Every report.json in a bucket that can be read, the newest first.
export async function findReports(): Promise<Search> {
  const search: Search = { found: [], partly: [] };
  await Promise.all((await listBuckets()).map(async ({ name: bucket }) => {
    const { objects, all } = await listKeys(bucket, MOST_KEYS);
    if (!all) search.partly.push(bucket);
    const reports = objects.filter((object) => /(^|\/)report\.json$/.test(object.key) && object.size < LARGEST);
    for (const object of reports) {
      const report = await readReport(bucket, object.key).catch(() => undefined); // somebody else's report.json
      if (report) search.found.push({ bucket, key: object.key, modified: Date.parse(object.modified) / 1000, report });
    }
  }));
  search.found.sort((a, b) => b.modified - a.modified);
  return search;
}

export interface Mistake extends ExampleRecord {
  score: number;
}

// Where the images are: the object that the report's data names.
export function dataObject(report: Report): { bucket: string; key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(report.data) ?? [];
  return bucket && key ? { bucket, key } : undefined;
}

// The first images of a true class that were taken for another one. Records are read one after the other, so far as is needed.
export async function imagesBehind(report: Report, bucket: string, reportKey: string, truth: number, predicted: number, most: number): Promise<Mistake[]> {
  const data = dataObject(report);
  if (!data) throw new Error("The data of this report lies in no bucket: headrace evaluate --data s3://BUCKET/KEY.");
  const response = await request("GET", objectAddress(bucket, reportKey.replace(/report\.json$/, "predictions.csv")));
  const wanted = new Map<number, number>();
  for (const line of (await response.text()).split("\n").slice(1)) {
    const [record, was, taken, score] = line.split(",").map(Number);
    if (was === truth && taken === predicted && wanted.size < most) wanted.set(record!, score!);
  }
  const reader = new RecordReader(data.bucket, data.key), found: Mistake[] = [];
  while (found.length < wanted.size) {
    const record = await reader.next();
    if (!record) throw new Error(`${report.data} has fewer records than the report: it is not the same file.`);
    const score = wanted.get(record.number);
    if (score !== undefined) found.push({ ...record, score });
  }
  return found;
}
