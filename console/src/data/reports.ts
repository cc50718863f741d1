// report.json of `headrace evaluate --report`.
import type { Json } from "../wire";

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
  subject: string; // the model or the endpoint
  data: string;
  classes: ClassFigures[];
  matrix: number[][]; // [true][predicted]
}

const isMatrix = (value: unknown, size: number): value is number[][] =>
  Array.isArray(value) && value.length === size && value.every((row) => Array.isArray(row) && row.length === size && row.every((count) => typeof count === "number"));

// undefined: other JSON.
export function reportOf(value: Json): Report | undefined {
  const classes = value.classes;
  if (!Array.isArray(classes) || typeof value.accuracy !== "number" || !isMatrix(value.confusion_matrix, classes.length)) return undefined;
  return {
    accuracy: value.accuracy, images: Number(value.images), subject: String(value.endpoint ?? value.model ?? ""), data: String(value.data ?? ""),
    classes: classes.map((one: Json) => ({ name: String(one.name), precision: Number(one.precision), recall: Number(one.recall), f1: Number(one.f1), support: Number(one.support) })),
    matrix: value.confusion_matrix,
  };
}
