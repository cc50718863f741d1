// Small pieces that many views show.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { otherTime, time, utc } from "../format";
import { address, Link } from "../router";

export const Time = ({ at }: { at?: number }) => (at ? <time dateTime={utc(at)} title={otherTime(at)}>{time(at)}</time> : <>–</>);

const MARKS: Record<string, string> = { Completed: "✓", InService: "✓", Failed: "✕", Stopped: "■", Stopping: "◐", InProgress: "▶", Creating: "▶", Updating: "▶", Deleting: "◐" };
export const Status = ({ of }: { of: string }) => <span class={`status ${of}`}><span aria-hidden="true">{MARKS[of] ?? "•"}</span> {of}</span>;

export const Problem = ({ of }: { of?: Error }) => (of ? <p role="alert" class="problem">{of.message}</p> : null);

// What to do when there is nothing yet, with a command to copy.
export function Empty({ children, command }: { children: ComponentChildren; command?: string }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command ? <Command text={command} /> : null}
    </div>
  );
}

// What an s3:// address names, in the console's storage.
export function StorageLink({ uri }: { uri: string }) {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri);
  if (!match) return <code>{uri}</code>;
  return <Link to={address("storage", match[1]!, ...match[2]!.split("/").filter(Boolean))}>{uri}</Link>;
}

export function Command({ text }: { text: string }) {
  return <div class="command"><pre tabIndex={0}>{text}</pre><Copy text={text} /></div>;
}

export function Copy({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : text());
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return <button class="quiet" onClick={() => void copy()}>{done ? "Copied" : label}</button>;
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Tabs({ names, chosen, choose }: { names: string[]; chosen: string; choose: (name: string) => void }) {
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length]!;
    choose(next);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <div role="tablist" class="tabs" onKeyDown={move}>
      {names.map((name) => (
        <button key={name} type="button" role="tab" data-tab={name} aria-selected={name === chosen} tabIndex={name === chosen ? 0 : -1} onClick={() => choose(name)}>{name}</button>
      ))}
    </div>
  );
}

export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
