// Logs that follow, are searched, copied and saved. Only the lines in sight are in the page, so that a million scroll smoothly.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Lines } from "../data/lines";
import { LogReader, streams } from "../data/logs";
import { preciseTime, timeIn } from "../format";
import { Copy, Problem, save } from "./pieces";

const ROW = 18, SIGHT = 480, MARGIN = 20;
const TALLEST = 15_000_000; // pixels; browsers draw nothing beyond some 17 million

// Lines of all streams of a group with this prefix, growing while `following`.
function useLines(group: string, prefix: string, following: boolean): { lines: Lines; problem?: Error } {
  const [, setEnd] = useState(0); // the lines' own: it is drawn anew when there are more
  const [problem, setProblem] = useState<Error>();
  const readers = useRef(new Map<string, LogReader>());
  const lines = useRef(new Lines());
  useEffect(() => {
    let ended = false, timer: ReturnType<typeof setTimeout> | undefined, rounds = 0;
    const run = async () => {
      let got = 0;
      try {
        if (rounds++ % 20 === 0)
          for (const name of await streams(group, prefix)) if (!readers.current.has(name)) readers.current.set(name, new LogReader(group, name));
        const pieces = await Promise.all([...readers.current].map(async ([name, reader]) =>
          (await reader.read()).map((line) => ({ ...line, host: name.slice(prefix.length).replace(/-\d+$/, "") }))));
        const more = pieces.flat();
        got = more.length;
        if (got) {
          if (readers.current.size > 1) more.sort((a, b) => a.time - b.time);
          lines.current.append(more);
          if (!ended) setEnd(lines.current.end);
        }
        if (!ended) setProblem(undefined);
      } catch (failure) {
        if (!ended) setProblem(failure as Error);
      }
      if (!ended && (following || got)) timer = setTimeout(run, got >= 5000 ? 0 : document.visibilityState === "visible" ? 250 : 2000);
    };
    void run();
    return () => { ended = true; clearTimeout(timer); };
  }, [group, prefix, following]);
  return { lines: lines.current, problem };
}

// Numbers of the lines that have the text: only new lines are looked at when there are more.
function useHits(lines: Lines, text: string): number[] {
  const found = useRef({ text: "", end: 0, hits: [] as number[] });
  if (found.current.text !== text) found.current = { text, end: 0, hits: [] };
  const { end, hits } = found.current;
  if (!text || lines.end === end) return hits;
  found.current = { text, end: lines.end, hits: [...hits.filter((hit) => hit >= lines.first), ...lines.find(text, end)] };
  return found.current.hits;
}

// Where somebody wants to go: the number of a line, counted from 1, or a time, then the first line that is not before it.
function numberAt(typed: string, lines: Lines): number | undefined {
  if (lines.length === 0) return undefined;
  const within = (number: number) => Math.min(Math.max(number, lines.first), lines.end - 1);
  if (/^\d+$/.test(typed)) return within(Number(typed) - 1);
  const wanted = timeIn(typed, lines.at(lines.first).time);
  if (wanted === undefined) return undefined;
  let from = lines.first, to = lines.end;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (lines.at(middle).time < wanted) from = middle + 1;
    else to = middle;
  }
  return within(from);
}

export function LogView({ group, prefix, following, name }: { group: string; prefix: string; following: boolean; name: string }) {
  const { lines, problem } = useLines(group, prefix, following);
  const [wanted, setWanted] = useState("");
  const [only, setOnly] = useState(false);
  const [timed, setTimed] = useState(false);
  const [top, setTop] = useState(0);
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const needle = wanted.toLowerCase();
  const hits = useHits(lines, needle);
  const some = only && needle !== "", count = some ? hits.length : lines.length;
  const numberOf = (row: number) => (some ? hits[row]! : lines.first + row);
  const several = lines.hosts > 1;

  // Of a log too tall for a browser, a pixel of the scroll bar is more than a pixel of the log.
  const height = Math.min(count * ROW, TALLEST), scale = height > SIGHT ? (count * ROW - SIGHT) / (height - SIGHT) : 1;
  useLayoutEffect(() => { if (follow && box.current) box.current.scrollTop = box.current.scrollHeight; }, [lines.end, count, follow]);
  const before = useRef(0);
  const scrolled = () => {
    const element = box.current!;
    if (element.scrollTop + element.clientHeight >= element.scrollHeight - ROW) setFollow(true);
    else if (element.scrollTop < before.current) setFollow(false); // not when the log alone has grown since
    before.current = element.scrollTop;
    setTop(element.scrollTop);
  };
  const show = (row: number) => { setFollow(false); box.current!.scrollTop = (row * ROW) / scale; };
  const jump = (direction: 1 | -1) => {
    const at = lines.first + Math.floor((box.current!.scrollTop * scale + ROW / 2) / ROW);
    const next = direction === 1 ? hits.find((i) => i > at) ?? hits[0] : hits.findLast((i) => i < at) ?? hits.at(-1);
    if (next !== undefined && !only) show(next - lines.first);
  };
  const goTo = (event: SubmitEvent) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("place") as HTMLInputElement;
    const number = numberAt(field.value.trim(), lines);
    field.setCustomValidity(number === undefined ? "Wanted the number of a line, or a time such as 14:05:30." : "");
    if (number === undefined) { field.reportValidity(); return; }
    show(number - lines.first);
  };
  const first = Math.max(0, Math.floor((top * scale) / ROW) - MARGIN), last = Math.min(count, first + Math.ceil(SIGHT / ROW) + 2 * MARGIN);
  const text = () => (some ? hits.map((hit) => lines.at(hit).text).join("\n") : lines.text());
  return (
    <section aria-label="Log">
      <div class="tools">
        <label>Search <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === "Enter") jump(event.shiftKey ? -1 : 1); }} /></label>
        {needle ? <><span role="status">{hits.length} lines</span>
          <button class="quiet" onClick={() => jump(-1)}>Previous</button><button class="quiet" onClick={() => jump(1)}>Next</button>
          <label><input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} /> only these</label></> : null}
        {some ? null : <form class="inline" onSubmit={goTo}><label>Go to <input name="place" size={10} placeholder="line or time" onInput={(event) => event.currentTarget.setCustomValidity("")} /></label></form>}
        <button class="quiet" onClick={() => show(0)}>Start</button><button class="quiet" onClick={() => setFollow(true)}>End</button>
        <label><input type="checkbox" checked={timed} onChange={(event) => setTimed(event.currentTarget.checked)} /> With times</label>
        <label><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> Follow</label>
        <Copy text={text} label="Copy all" />
        <button class="quiet" onClick={() => save(`${name}.log`, new Blob([text(), "\n"], { type: "text/plain" }))}>Download</button>
        <span>{lines.length.toLocaleString()} lines{lines.first ? `, without the first ${lines.first.toLocaleString()}: a page keeps the last million` : ""}</span>
      </div>
      <Problem of={problem} />
      {count === 0 ? <p>{needle && lines.length ? "No line has this text." : following ? "No line so far." : "Nothing was printed."}</p> : null}
      <div class="log" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" style={{ height: `${SIGHT}px` }}>
        <div style={{ height: `${height}px`, position: "relative" }}>
          <pre style={{ position: "absolute", top: `${top - (top * scale - first * ROW)}px`, left: 0, right: 0 }}>
            {Array.from({ length: Math.max(0, last - first) }, (_, i) => {
              const number = numberOf(first + i), line = lines.at(number);
              return (
                <div key={number} class={needle && line.text.toLowerCase().includes(needle) ? "hit" : undefined} title={preciseTime(line.time)}>
                  {timed ? <span class="host">{preciseTime(line.time)} </span> : null}{several ? <span class="host">{line.host} </span> : null}{line.text || " "}
                </div>
              );
            })}
          </pre>
        </div>
      </div>
    </section>
  );
}
