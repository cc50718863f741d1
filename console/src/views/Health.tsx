// How the server does: what is used of its machine, what runs, what `headrace doctor` says, and the figures that Prometheus reads.
import { useRef, useState } from "preact/hooks";
import { describeMachine, examineMachine, type Examination, type Machine, type Running } from "../data/machine";
import { bytes, duration } from "../format";
import { useLoaded } from "../live";
import { Facts, Problem, Tabs, Time } from "../parts/pieces";
import { address, choose, Link, query } from "../router";

const TABS = ["Machine", "Doctor", "Figures"];

export function HealthPage() {
  const health = useLoaded(async () => (await fetch("/healthz")).ok, [], 5);
  const tab = TABS.find((one) => one.toLowerCase() === query.value.get("tab")) ?? "Machine";
  return (
    <>
      <h1>Health</h1>
      <Problem of={health.problem} />
      {health.value === undefined ? null : <p role="status">{health.value ? "✓ The server serves." : "◐ The server is starting."}</p>}
      <Tabs names={TABS} chosen={tab} choose={(one) => choose({ tab: one.toLowerCase() })} />
      {tab === "Machine" ? <MachineUse /> : null}
      {tab === "Doctor" ? <Doctor /> : null}
      {tab === "Figures" ? <Figures /> : null}
    </>
  );
}

// Cores used between two reports, of a counter of seconds.
function coresBetween(before: Machine | undefined, now: Machine, counter: (machine: Machine) => number | undefined): number | undefined {
  const earlier = before && counter(before), later = counter(now);
  return earlier === undefined || later === undefined || !before || now.at <= before.at ? undefined : Math.max(0, (later - earlier) / (now.at - before.at));
}

const cores = (used: number | undefined) => (used === undefined ? "…" : `${used.toFixed(2)} cores`);

// A share of a whole, as a bar beside its figures.
function Share({ of, whole, told }: { of: number; whole: number; told: string }) {
  return <><span>{told}</span> <meter min={0} max={whole} value={of} high={0.9 * whole} aria-label={told} /></>;
}

function MachineUse() {
  const before = useRef<Machine | undefined>(undefined), last = useRef<Machine | undefined>(undefined);
  const machine = useLoaded(async () => { const now = await describeMachine(); before.current = last.current; last.current = now; return now; }, [], 2);
  const now = machine.value;
  if (!now) return <Problem of={machine.problem} />;
  const busy = coresBetween(before.current, now, (one) => one.cores.busySeconds);
  const used = now.memory.bytes - now.memory.available;
  return (
    <>
      <Problem of={machine.problem} />
      <Facts rows={[
        ["Cores busy", busy === undefined ? "…" : <Share of={busy} whole={now.cores.count} told={`${busy.toFixed(1)} of ${now.cores.count}`} />],
        ["Cores that jobs have taken", <Share of={now.cores.takenByJobs} whole={now.cores.forJobs} told={`${now.cores.takenByJobs} of ${now.cores.forJobs}`} />],
        ["Load of 1, 5, 15 minutes", now.cores.load.map((load) => load.toFixed(2)).join(", ")],
        ["Memory used", <Share of={used} whole={now.memory.bytes} told={`${bytes(used)} of ${bytes(now.memory.bytes)}`} />],
        ["Disk of the data directory", now.disk ? <Share of={now.disk.bytes - now.disk.free} whole={now.disk.bytes} told={`${bytes(now.disk.free)} free of ${bytes(now.disk.bytes)}`} /> : "–"],
        ["Server", `process ${now.server.pid}, ${bytes(now.server.memory)}, ${cores(coresBetween(before.current, now, (one) => one.server.cpuSeconds))}`],
        ["Server started", <Time at={now.server.started} />],
      ]} />
      <h2>Running</h2>
      {now.processes.length ? <Processes now={now} before={before.current} /> : <p>None of your jobs or endpoints has a process.</p>}
      <h2>Versions</h2>
      <table><thead><tr><th scope="col">What</th><th scope="col">Version</th></tr></thead><tbody>{now.versions.map(([name, version]) => <tr key={name}><th scope="row">{name}</th><td>{version}</td></tr>)}</tbody></table>
    </>
  );
}

const ROOMS: Record<string, [room: string, title: string]> = { TrainingJob: ["jobs", "Training job"], Endpoint: ["endpoints", "Endpoint"], TransformJob: ["transforms", "Batch transform job"] };

function Processes({ now, before }: { now: Machine; before?: Machine }) {
  const spent = (machine: Machine, pid: number) => machine.processes.find((one) => one.pid === pid)?.cpuSeconds;
  const row = (one: Running) => {
    const [room, title] = ROOMS[one.kind] ?? ["jobs", one.kind];
    return (
      <tr key={one.pid}><td>{title}</td><td><Link to={address(room, one.name)}>{one.name}</Link></td><td>{one.host || "–"}</td><td class="number">{one.pid}</td><td class="number">{one.processes}</td>
        <td class="number">{one.threads}</td><td class="number">{cores(coresBetween(before, now, (machine) => spent(machine, one.pid)))}</td><td class="number">{duration(one.cpuSeconds)}</td><td class="number">{bytes(one.memory)}</td></tr>
    );
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Running"><table>
      <thead><tr>{["Of", "Name", "Host", "First process", "Processes", "Threads", "Uses", "Used", "Memory"].map((title) => <th scope="col" key={title}>{title}</th>)}</tr></thead>
      <tbody>{now.processes.map(row)}</tbody>
    </table></div>
  );
}

const MARKS: Record<string, string> = { ok: "✓ ok", warning: "! warning", failed: "✕ failed" };

function Doctor() {
  const [again, setAgain] = useState(0);
  const asked = useRef(0);
  const state = useLoaded<Examination>(() => { const anew = asked.current < again; asked.current = again; return examineMachine(anew); }, [again], (told) => (told?.running ? 0.5 : 0));
  const told = state.value;
  return (
    <>
      <Problem of={state.problem} />
      {told ? <p class="tools"><span role="status">{told.running ? "Examining the machine …" : <>Examined <Time at={told.at} /></>}</span>
        <button disabled={told.running} onClick={() => setAgain(again + 1)}>Examine again</button></p> : null}
      {told?.checks.length ? <div class="scroll" tabIndex={0} role="region" aria-label="Checks"><table>
        <caption>As <code>headrace doctor</code> tells it, with the server's settings.</caption>
        <thead><tr><th scope="col">Check</th><th scope="col">Verdict</th><th scope="col">Found</th></tr></thead>
        <tbody>{told.checks.map((check) => <tr key={check.name}><th scope="row">{check.name}</th><td class={`verdict ${check.verdict}`}>{MARKS[check.verdict] ?? check.verdict}</td><td>{check.detail}</td></tr>)}</tbody>
      </table></div> : null}
    </>
  );
}

interface Figure {
  name: string;
  value: string;
  help: string;
}

async function readFigures(): Promise<Figure[]> {
  const help = new Map<string, string>(), figures: Figure[] = [];
  for (const line of (await (await fetch("/metrics")).text()).split("\n")) {
    const told = /^# HELP (\S+) (.*)$/.exec(line);
    if (told) help.set(told[1]!, told[2]!);
    const sample = /^([a-zA-Z_:][^ ]*) (\S+)$/.exec(line);
    if (sample && !sample[1]!.includes("_bucket{")) figures.push({ name: sample[1]!, value: sample[2]!, help: help.get(sample[1]!.replace(/\{.*|_(sum|count)$/g, "")) ?? "" });
  }
  return figures;
}

function Figures() {
  const figures = useLoaded(readFigures, [], 2);
  return (
    <>
      <Problem of={figures.problem} />
      {figures.value ? <div class="scroll" tabIndex={0} role="region" aria-label="Figures"><table>
        <caption>Figures of <a href="/metrics">/metrics</a>, for which <code>packaging/grafana</code> has a dashboard.</caption>
        <thead><tr><th scope="col">Figure</th><th scope="col">Value</th><th scope="col">What it counts</th></tr></thead>
        <tbody>{figures.value.map((figure) => <tr key={figure.name}><td><code>{figure.name}</code></td><td class="number">{figure.value}</td><td>{figure.help}</td></tr>)}</tbody>
      </table></div> : null}
    </>
  );
}
