// A request as a form that is checked while one types: fields for what nearly all requests say, the whole document for the rest.
// The server has the last word.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { Json } from "../wire";
import { Problem, Tabs } from "./pieces";

export interface Field {
  path: string; // "ResourceConfig.InstanceType"; a number is a place in a list
  label: string;
  kind?: "text" | "number" | "choice";
  choices?: string[]; // of a choice, or proposed
  check?: (value: string) => string | undefined; // what is wrong with it
  optional?: boolean;
}

export interface TableOf {
  path: string; // of an object of texts
  label: string;
}

export const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;

export const isPattern = (pattern: RegExp, wanted: string) => (value: string) => (pattern.test(value) ? undefined : `Wanted ${wanted}.`);
export const isWithin = (least: number, most: number) => (value: string) => (Number(value) >= least && Number(value) <= most && Number.isInteger(Number(value)) ? undefined : `Wanted a whole number from ${least} to ${most}.`);

// An S3 address in one of these buckets; undefined: they are not known yet.
export const isIn = (buckets: string[] | undefined) => (value: string) => {
  const bucket = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(\/.*)?$/.exec(value)?.[1];
  if (!bucket) return "Wanted s3://BUCKET/PREFIX.";
  return buckets && !buckets.includes(bucket) ? `There is no bucket ${bucket}.` : undefined;
};

function valueAt(document: Json, path: string): unknown {
  let value: unknown = document;
  for (const part of path.split(".")) value = (value as Json | undefined)?.[part];
  return value;
}

// A copy of the document with another value there; undefined takes it out.
export function changed(document: Json, path: string, value: unknown): Json {
  const copy = structuredClone(document), parts = path.split("."), last = parts.pop()!;
  let at: Json = copy;
  for (const part of parts) at = (at[part] ??= {}) as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

const textOf = (value: unknown) => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

function problemOf(field: Field, document: Json): string | undefined {
  const text = textOf(valueAt(document, field.path));
  if (text === "") return field.optional ? undefined : "It is wanted.";
  return field.check?.(text);
}

// What is wrong with the texts of a table.
function problemsOfTable(table: TableOf, document: Json): string[] {
  return Object.entries((valueAt(document, table.path) ?? {}) as Json).flatMap(([key, value]) =>
    typeof value !== "string" ? [`${table.label} ${key}: wanted a text, "${textOf(value)}" in quotes.`]
      : key === "" ? [`${table.label}: a name is wanted.`] : value.length > 2500 ? [`${table.label} ${key}: at most 2500 characters.`] : []);
}

interface Form {
  name: string;
  setName: (name: string) => void;
  exists: (name: string) => Promise<boolean>;
  document: Json;
  setDocument: (document: Json) => void;
  fields: Field[];
  tables: TableOf[];
  problems?: string[]; // of what only the caller knows
  submit: () => Promise<void>;
  children?: ComponentChildren;
}

export function RequestForm({ name, setName, exists, document, setDocument, fields, tables, problems = [], submit, children }: Form) {
  const [whole, setWhole] = useState<string>(); // the document as it is typed, while it is
  const [malformed, setMalformed] = useState<string>();
  const [taken, setTaken] = useState(false);
  const [failure, setFailure] = useState<Error>();
  useEffect(() => {
    setTaken(false);
    if (!NAME.test(name)) return undefined;
    const timer = setTimeout(() => exists(name).then(setTaken, setFailure), 300);
    return () => clearTimeout(timer);
  }, [name]);
  const nameProblem = !NAME.test(name) ? "Wanted letters, digits and single hyphens between them, at most 63." : taken ? "There is one of this name." : undefined;
  const wrong = fields.filter((field) => problemOf(field, document));
  const others = [...problems, ...tables.flatMap((table) => problemsOfTable(table, document)), ...(malformed ? [malformed] : [])];
  const type = (text: string) => {
    setWhole(text);
    try {
      setDocument(JSON.parse(text) as Json);
      setMalformed(undefined);
    } catch (problem) {
      setMalformed((problem as Error).message);
    }
  };
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    try { await submit(); } catch (problem) { setFailure(problem as Error); }
  };
  const tab = whole === undefined ? "Fields" : "Whole request";
  return (
    <form onSubmit={(event) => void send(event)} class="request">
      <Labelled label="Name" problem={nameProblem} control={(rest) => <input {...rest} value={name} spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />} />
      <Tabs names={["Fields", "Whole request"]} chosen={tab} choose={(one) => { setWhole(one === "Fields" ? undefined : JSON.stringify(document, null, 2)); setMalformed(undefined); }} />
      {whole === undefined ? <>
        <div class="fields">{fields.map((field) => <FieldInput key={field.path} field={field} document={document} change={(value) => setDocument(changed(document, field.path, value))} />)}</div>
        {children}
        {tables.map((table) => <TableInput key={table.path} table={table} document={document} change={(value) => setDocument(changed(document, table.path, value))} />)}
      </> : <label>Request <textarea rows={28} spellcheck={false} value={whole} onInput={(event) => type(event.currentTarget.value)} /></label>}
      <div role="status" class="wrong">{others.length ? <ul>{others.map((problem) => <li key={problem}>{problem}</li>)}</ul> : null}
        {whole !== undefined && wrong.length ? <ul>{wrong.map((field) => <li key={field.path}>{field.path}: {problemOf(field, document)}</li>)}</ul> : null}</div>
      <Problem of={failure} />
      <button disabled={nameProblem !== undefined || wrong.length > 0 || others.length > 0}>Create</button>
    </form>
  );
}

interface Described {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string;
}

function Labelled({ label, problem, control }: { label: string; problem?: string; control: (rest: Described) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control({ id, "aria-invalid": problem !== undefined, "aria-describedby": `${id}-problem` })}
      <small id={`${id}-problem`} class="wrong">{problem}</small>
    </div>
  );
}

function FieldInput({ field, document, change }: { field: Field; document: Json; change: (value: unknown) => void }) {
  const text = textOf(valueAt(document, field.path)), list = useId();
  const take = (typed: string) => change(typed === "" && field.optional ? undefined : field.kind === "number" && typed !== "" ? Number(typed) : typed);
  return <Labelled label={field.label + (field.optional ? " (optional)" : "")} problem={problemOf(field, document)} control={(rest) =>
    field.kind === "choice"
      ? <select {...rest} value={text} onChange={(event) => take(event.currentTarget.value)}>{field.optional ? <option value="">as the server does</option> : null}{field.choices!.map((choice) => <option key={choice}>{choice}</option>)}</select>
      : <><input {...rest} type={field.kind === "number" ? "number" : "text"} value={text} spellcheck={false} list={field.choices ? list : undefined} onInput={(event) => take(event.currentTarget.value)} />
        {field.choices ? <datalist id={list}>{field.choices.map((choice) => <option key={choice} value={choice} />)}</datalist> : null}</>} />;
}

function TableInput({ table, document, change }: { table: TableOf; document: Json; change: (value: Json) => void }) {
  const rows = Object.entries((valueAt(document, table.path) ?? {}) as Json);
  const replace = (at: number, row: [string, unknown] | null) => change(Object.fromEntries(rows.flatMap((other, i) => (i !== at ? [other] : row ? [row] : []))));
  return (
    <fieldset><legend>{table.label}</legend>
      {rows.map(([key, value], i) => (
        <div class="pair" key={i}>
          <input aria-label={`${table.label}: name`} value={key} spellcheck={false} onInput={(event) => replace(i, [event.currentTarget.value, value])} />
          <input aria-label={`${table.label}: value of ${key}`} value={textOf(value)} spellcheck={false} onInput={(event) => replace(i, [key, event.currentTarget.value])} />
          <button type="button" class="quiet" aria-label={`Remove ${key}`} onClick={() => replace(i, null)}>✕</button>
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => change({ ...Object.fromEntries(rows), "": "" })}>Add</button>
    </fieldset>
  );
}
