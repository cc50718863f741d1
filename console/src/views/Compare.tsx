// Jobs side by side: curves on one axis that begins where each program does, figures, and the hyperparameters that differ.
import { useMemo, useRef, useState } from "preact/hooks";
import { describeJob, isOver, listJobs, readSpeed, type Figure, type Job, type Speed } from "../data/jobs";
import { chartOf, jobOf, readJobCurves, type Axis, type Curve, type Window } from "../data/metrics";
import { duration, number } from "../format";
import { useLatest, useLoaded } from "../live";
import { Chart, chartsBy } from "../parts/Chart";
import { AxisChoice, chosenWindow, SmoothingChoice, ZoomChoice, zoomTo } from "../parts/CurveTools";
import { PictureButton } from "../parts/Picture";
import { Empty, Problem, Status } from "../parts/pieces";
import { address, choose, Link, query } from "../router";

const AXES: Axis[] = ["elapsed", "step"];

interface Compared {
  axis: Axis;
  jobs: Job[];
  curves: Curve[];
}

const NOTHING: Compared = { axis: "elapsed", jobs: [], curves: [] };

async function read(names: string[], window: Window & { axis: Axis }, known: Map<string, Job>): Promise<Compared> {
  const jobs = await Promise.all(names.map((name) => known.get(name) ?? describeJob(name)));
  for (const job of jobs) if (isOver(job)) known.set(job.name, job);
  return { axis: window.axis, jobs, curves: await readJobCurves(jobs, { ...window, columns: 600 }) };
}

export function ComparePage() {
  const names = (query.value.get("jobs") ?? "").split(",").filter(Boolean);
  const window = chosenWindow(AXES);
  const known = useRef(new Map<string, Job>()); // those that have ended: nothing of them changes any more
  const loaded = useLoaded(() => read(names, window, known.current), [names.join(), ...Object.values(window)], (all) => (all?.jobs.every(isOver) ? 0 : 2));
  const { axis, jobs, curves } = useLatest(loaded.value) ?? NOTHING;
  const set = (list: string[]) => choose({ jobs: list.join(",") });
  const charts = useMemo(() => chartsBy(curves, (curve) => chartOf(curve.metric.name), (curve) => `${jobOf(curve)} ${curve.metric.name}`), [curves]);
  return (
    <>
      <h1>Compare training jobs</h1>
      <div class="tools">
        <AddJob known={names} add={(name) => set([...names, name])} />
        <SmoothingChoice smoothing={window.smoothing} />
        <AxisChoice axes={AXES} axis={window.axis} />
        <ZoomChoice curves={curves} window={window} />
        {jobs.length ? <PictureButton title={`Compared: ${jobs.map((job) => job.name).join(", ")}`} file="comparison.png" /> : null}
      </div>
      <Problem of={loaded.problem} />
      {jobs.length ? <Figures jobs={jobs} remove={(name) => set(names.filter((other) => other !== name))} /> : <Empty command={`headrace jobs compare ${names.join(" ") || "JOB JOB"}`}>Choose jobs to put side by side, here or in a shell:</Empty>}
      <div class="charts">{charts.map(([title, lines]) => <Chart key={title} title={title} lines={lines} axis={axis} zoom={zoomTo} />)}</div>
    </>
  );
}

function AddJob({ known, add }: { known: string[]; add: (name: string) => void }) {
  const [text, setText] = useState("");
  const found = useLoaded(() => listJobs({ nameContains: /^[a-zA-Z0-9-]+$/.test(text) ? text : undefined, sortBy: "CreationTime", descending: true }), [text]);
  const rows = (found.value?.rows ?? []).filter((row) => !known.includes(row.name)).slice(0, 50);
  return (
    <>
      <label>Find <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
      <label>Add <select value="" onChange={(event) => { if (event.currentTarget.value) add(event.currentTarget.value); }}>
        <option value="">a job …</option>{rows.map((row) => <option key={row.name}>{row.name}</option>)}
      </select></label>
    </>
  );
}

// As `headrace jobs compare` has them; a figure's title says where it comes from, or why there is none.
const SPEEDS: [title: string, figure: (speed: Speed) => Figure, told: (value: number) => string][] = [
  ["Time to the first step", (speed) => speed.firstStep, duration], ["Time an epoch", (speed) => speed.epoch, duration],
  ["Images/s", (speed) => speed.imagesPerSecond, number], ["Billable", (speed) => speed.billable, (value) => `${value} s`], ["Cost", (speed) => speed.cost, number],
];

const readSpeeds = async (jobs: Job[]) => new Map(await Promise.all(jobs.map(async (job) => [job.name, await readSpeed(job.name)] as const)));

function Figures({ jobs, remove }: { jobs: Job[]; remove: (name: string) => void }) {
  const names = [...new Set(jobs.flatMap((job) => Object.keys(job.hyperparameters)))].sort();
  const differing = names.filter((name) => new Set(jobs.map((job) => job.hyperparameters[name])).size > 1);
  const speeds = useLoaded(() => readSpeeds(jobs), [jobs.map((job) => job.name + job.status).join()], jobs.every(isOver) ? 0 : 10);
  const metrics = [...new Set(jobs.flatMap((job) => job.finalMetrics.map((metric) => metric.name)))];
  const rows: [string, (job: Job) => string][] = [
    ["Instances", (job) => `${job.instanceCount} × ${job.instanceType}`],
    ["Input mode", (job) => job.inputMode],
    ["Took", (job) => (job.ended ? duration(job.ended - job.created) : "–")],
    ["Program ran", (job) => (job.started && job.ended ? duration(job.ended - job.started) : "–")],
    ...metrics.map((metric): [string, (job: Job) => string] => [metric, (job) => { const last = job.finalMetrics.find((one) => one.name === metric); return last ? number(last.value) : "–"; }]),
    ...differing.map((name): [string, (job: Job) => string] => [`--${name}`, (job) => job.hyperparameters[name] ?? "–"]),
  ];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Figures"><table>
      <thead><tr><th scope="col">Figure</th>{jobs.map((job) => <th scope="col" key={job.name}><Link to={address("jobs", job.name)}>{job.name}</Link> <Status of={job.status} /> <button class="quiet" aria-label={`Remove ${job.name}`} onClick={() => remove(job.name)}>✕</button></th>)}</tr></thead>
      <tbody>{SPEEDS.map(([title, figure, told]) => <tr key={title}><th scope="row">{title}</th>{jobs.map((job) => {
        const found = speeds.value?.get(job.name) && figure(speeds.value.get(job.name)!);
        return <td key={job.name} class="number" title={found?.source}>{found?.value === undefined ? "–" : told(found.value)}</td>;
      })}</tr>)}
      {rows.map(([title, value]) => <tr key={title}><th scope="row">{title}</th>{jobs.map((job) => <td key={job.name} class="number">{value(job)}</td>)}</tr>)}</tbody>
    </table><Problem of={speeds.problem} /></div>
  );
}
