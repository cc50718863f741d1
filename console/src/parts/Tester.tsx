// An endpoint asked from the page: an image, JSON, CSV or a file of numbers; its answer as bars; the same request as commands.
import { useState } from "preact/hooks";
import { commandsFor } from "../data/commands";
import { invoke, type Answer } from "../data/endpoints";
import { bytes, number } from "../format";
import { Command, Problem, save } from "./pieces";

interface Input {
  contentType: string;
  body: string | File;
  file: string; // its name in commands
}

// The pixels of an image, resized, as the rows of one instance: [height][width][red, green, blue].
async function imageInput(file: File, side: number): Promise<Input> {
  const bitmap = await createImageBitmap(file, side > 0 ? { resizeWidth: side, resizeHeight: side, resizeQuality: "high" } : {});
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d")!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const pixel = (row: number, column: number) => [0, 1, 2].map((channel) => data[(row * bitmap.width + column) * 4 + channel]!);
  const rows = Array.from({ length: bitmap.height }, (_, row) => Array.from({ length: bitmap.width }, (_, column) => pixel(row, column)));
  return { contentType: "application/json", body: JSON.stringify({ instances: [rows] }), file: "request.json" };
}

async function fileInput(file: File, side: number): Promise<Input> {
  if (file.type.startsWith("image/")) return imageInput(file, side);
  const contentType = file.name.endsWith(".npy") ? "application/x-npy" : file.name.endsWith(".csv") ? "text/csv" : "application/json";
  return { contentType, body: file, file: file.name };
}

// The scores of a classifier, when the answer is one list of numbers a row: TensorFlow Serving's "predictions" or "outputs".
function scoresOf(text: string): number[] | undefined {
  try {
    const parsed = JSON.parse(text) as { predictions?: unknown; outputs?: unknown };
    const row = (parsed.predictions ?? parsed.outputs) as unknown[] | undefined;
    const first = Array.isArray(row?.[0]) ? row[0] as unknown[] : row;
    const scores = first && !Array.isArray(first) && typeof first === "object" ? (first as { scores?: unknown[] }).scores : first;
    return Array.isArray(scores) && scores.length > 1 && scores.every((score) => typeof score === "number") ? scores as number[] : undefined;
  } catch {
    return undefined;
  }
}

// What may stand in a command as it is.
const isShort = (text: string) => text.length < 2000 && !/[^\P{Cc}\n\t]/u.test(text);

function Commands({ endpoint, variant, input }: { endpoint: string; variant: string; input: Input }) {
  const text = typeof input.body === "string" && isShort(input.body) ? input.body : undefined;
  return (
    <details><summary>The same request as a command</summary>
      {text === undefined ? <p class="tools">The body is <code>{input.file}</code>. <button onClick={() => save(input.file, new Blob([input.body]))}>Save it</button></p> : null}
      {commandsFor({ endpoint, variant, contentType: input.contentType, text, file: input.file }).map(([title, command]) => <div key={title}><p>{title}</p><Command text={command} /></div>)}
    </details>
  );
}

// The names of an endpoint's classes, as somebody gave them; this browser keeps them.
const namesKey = (endpoint: string) => `classes of ${endpoint}`;

export function Tester({ endpoint, variants }: { endpoint: string; variants: string[] }) {
  const [text, setText] = useState('{"instances": []}');
  const [contentType, setContentType] = useState("application/json");
  const [side, setSide] = useState(32);
  const [variant, setVariant] = useState("");
  const [names, setNames] = useState(localStorage.getItem(namesKey(endpoint)) ?? "");
  const [asked, setAsked] = useState<Input>();
  const [answer, setAnswer] = useState<Answer>();
  const [failure, setFailure] = useState<Error>();
  const ask = async (make: () => Input | Promise<Input>) => {
    setFailure(undefined);
    setAnswer(undefined);
    try {
      const input = await make();
      setAsked(input);
      setAnswer(await invoke(endpoint, variant, input.contentType, input.body));
    } catch (problem) {
      setFailure(problem as Error);
    }
  };
  const drop = (files: FileList | null | undefined) => { const file = files?.[0]; if (file) void ask(() => fileInput(file, side)); };
  const name = (typed: string) => { setNames(typed); localStorage.setItem(namesKey(endpoint), typed); };
  const scores = answer ? scoresOf(answer.text) : undefined;
  return (
    <section aria-label="Tester" class="tester">
      <div class="drop" onDragOver={(event) => event.preventDefault()} onDrop={(event) => { event.preventDefault(); drop(event.dataTransfer?.files); }}>
        <label>Drop an image, a .npy, .csv or .json here, or choose one <input type="file" onChange={(event) => drop(event.currentTarget.files)} /></label>
        <label>Images become <input type="number" min="0" max="1024" value={side} onInput={(event) => setSide(Number(event.currentTarget.value))} /> pixels wide and high (0: as they are)</label>
      </div>
      <label>Or a body <textarea rows={5} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
      <div class="tools">
        <label>Content type <select value={contentType} onChange={(event) => setContentType(event.currentTarget.value)}><option>application/json</option><option>text/csv</option><option>application/jsonlines</option></select></label>
        {variants.length > 1 ? <label>Variant <select value={variant} onChange={(event) => setVariant(event.currentTarget.value)}><option value="">by weight</option>{variants.map((one) => <option key={one}>{one}</option>)}</select></label> : null}
        <label>Classes <input value={names} placeholder="airplane, automobile, …" spellcheck={false} onInput={(event) => name(event.currentTarget.value)} /></label>
        <button onClick={() => void ask(() => ({ contentType, body: text, file: contentType === "text/csv" ? "request.csv" : "request.json" }))}>Send</button>
      </div>
      <Problem of={failure} />
      {answer ? <p role="status">Answered in {answer.milliseconds.toFixed(1)} ms by {answer.variant}: {bytes(answer.text.length)}, {answer.contentType}</p> : null}
      {scores ? <Bars scores={scores} names={names.split(",").map((one) => one.trim())} /> : null}
      {answer ? <details open={!scores}><summary>Answer</summary><pre tabIndex={0}>{answer.text.slice(0, 20_000)}</pre></details> : null}
      {asked ? <Commands endpoint={endpoint} variant={variant} input={asked} /> : null}
    </section>
  );
}

function Bars({ scores, names }: { scores: number[]; names: string[] }) {
  const nameOf = (at: number) => names[at] || String(at);
  const most = Math.max(...scores.map(Math.abs), 1e-12), best = scores.indexOf(Math.max(...scores));
  return (
    <table class="bars-table">
      <caption>Class {nameOf(best)}: {number(scores[best]!)}</caption>
      <thead><tr><th scope="col">Class</th><th scope="col">Score</th><th scope="col"><span class="visually-hidden">Bar</span></th></tr></thead>
      <tbody>{scores.slice(0, 100).map((score, i) => (
        <tr key={i} class={i === best ? "best" : undefined}><td class={names[i] ? undefined : "number"}>{nameOf(i)}</td><td class="number">{number(score)}</td><td class="bars"><div class="bar" style={{ width: `${(100 * Math.max(0, score)) / most}%` }} /></td></tr>
      ))}</tbody>
    </table>
  );
}
