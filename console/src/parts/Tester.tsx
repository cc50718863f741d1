// An endpoint asked from the page: an image, JSON, CSV or a file of numbers; its answer as bars; the same request as commands.
import { useState } from "preact/hooks";
import { invoke, type Answer } from "../data/endpoints";
import { number } from "../format";
import { Command, Problem } from "./pieces";

interface Input {
  contentType: string;
  body: BodyInit;
  told: string; // what the commands show
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
  const body = JSON.stringify({ instances: [rows] });
  return { contentType: "application/json", body, told: `{"instances": [ ${bitmap.height} x ${bitmap.width} x 3 pixels of ${file.name} ]}` };
}

async function fileInput(file: File, side: number): Promise<Input> {
  if (file.type.startsWith("image/")) return imageInput(file, side);
  const contentType = file.name.endsWith(".npy") ? "application/x-npy" : file.name.endsWith(".csv") ? "text/csv" : "application/json";
  return { contentType, body: file, told: `@${file.name}` };
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

function commands(endpoint: string, input: Input): [string, string][] {
  const text = typeof input.body === "string" && input.body.length < 2000 ? input.body : input.told;
  return [
    ["Shell", `headrace invoke ${endpoint} FILE`],
    ["curl", `curl --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:sagemaker" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\\n  -H 'Content-Type: ${input.contentType}' --data-binary '${text}' \\\n  "$AWS_ENDPOINT_URL/endpoints/${endpoint}/invocations"`],
    ["boto3", `boto3.client("sagemaker-runtime").invoke_endpoint(\n    EndpointName="${endpoint}", ContentType="${input.contentType}", Body=${JSON.stringify(text)})["Body"].read()`],
    ["C++", `sagemaker::Predictor predictor("${endpoint}");\nconst auto answer = predictor.predict(batch);  // headrace/sagemaker.h`],
  ];
}

export function Tester({ endpoint }: { endpoint: string }) {
  const [text, setText] = useState('{"instances": []}');
  const [contentType, setContentType] = useState("application/json");
  const [side, setSide] = useState(32);
  const [asked, setAsked] = useState<Input>();
  const [answer, setAnswer] = useState<Answer>();
  const [failure, setFailure] = useState<Error>();
  const ask = async (make: () => Input | Promise<Input>) => {
    setFailure(undefined);
    setAnswer(undefined);
    try {
      const input = await make();
      setAsked(input);
      setAnswer(await invoke(endpoint, input.contentType, input.body));
    } catch (problem) {
      setFailure(problem as Error);
    }
  };
  const drop = (files: FileList | null | undefined) => { const file = files?.[0]; if (file) void ask(() => fileInput(file, side)); };
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
        <button onClick={() => void ask(() => ({ contentType, body: text, told: text }))}>Send</button>
      </div>
      <Problem of={failure} />
      {answer ? <p role="status">Answered in {answer.milliseconds.toFixed(1)} ms, {answer.text.length} bytes, {answer.contentType}</p> : null}
      {scores ? <Bars scores={scores} /> : null}
      {answer ? <details open={!scores}><summary>Answer</summary><pre tabIndex={0}>{answer.text.slice(0, 20_000)}</pre></details> : null}
      {asked ? <details><summary>The same request as a command</summary>{commands(endpoint, asked).map(([title, command]) => <div key={title}><p>{title}</p><Command text={command} /></div>)}</details> : null}
    </section>
  );
}

function Bars({ scores }: { scores: number[] }) {
  const most = Math.max(...scores.map(Math.abs), 1e-12), best = scores.indexOf(Math.max(...scores));
  return (
    <table class="bars-table">
      <caption>Class {best}: {number(scores[best]!)}</caption>
      <thead><tr><th scope="col">Class</th><th scope="col">Score</th><th scope="col"><span class="visually-hidden">Bar</span></th></tr></thead>
      <tbody>{scores.slice(0, 100).map((score, i) => (
        <tr key={i} class={i === best ? "best" : undefined}><td class="number">{i}</td><td class="number">{number(score)}</td><td class="bars"><div class="bar" style={{ width: `${(100 * Math.max(0, score)) / most}%` }} /></td></tr>
      ))}</tbody>
    </table>
  );
}
