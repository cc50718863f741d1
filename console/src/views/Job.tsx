// One training job: what it does now, its curves, its logs, what it was asked for.
import { useEffect, useMemo, useState } from "preact/hooks";
import { describeJob, isOver, stopJob, type Job } from "../data/jobs";
import { JOBS_GROUP } from "../data/logs";
import { chartOf, curveAt, jobMetrics, readHostCurves, readJobCurves, readStatistics, type Axis, type Curve, type Window } from "../data/metrics";
import { objectAddress } from "../data/storage";
import { duration, number } from "../format";
import { useLatest, useLoaded } from "../live";
import { Chart, chartsBy } from "../parts/Chart";
import { AxisChoice, chosenWindow, SmoothingChoice, ZoomChoice, zoomTo } from "../parts/CurveTools";
import { HostCharts } from "../parts/HostCharts";
import { LogView } from "../parts/LogView";
import { Empty, Facts, Problem, Status, StorageLink, Tabs, Time } from "../parts/pieces";
import { Timeline } from "../parts/Timeline";
import { choose, Link, query } from "../router";

const TABS = ["Metrics", "Logs", "Instances", "Configuration"];

export function JobPage({ name }: { name: string }) {
  const job = useLoaded(() => describeJob(name), [name], (value) => (value && isOver(value) ? 0 : 1));
  const [failure, setFailure] = useState<Error>();
  const tab = TABS.find((one) => one.toLowerCase() === query.value.get("tab")) ?? "Metrics";
  if (!job.value) return <><h1>{name}</h1><Problem of={job.problem} /></>;
  const value = job.value, over = isOver(value);
  const stop = async () => {
    if (!confirm(`Stop ${name}? Its program gets 120 seconds to end; what it has left is kept.`)) return;
    try { await stopJob(name); job.reload(); } catch (problem) { setFailure(problem as Error); }
  };
  return (
    <>
      <h1>{name}</h1>
      <p class="tools">
        <Status of={value.status} />{over ? null : <span>{value.phase}</span>}
        {over ? null : <button onClick={() => void stop()}>Stop</button>}
        <Link to={`/console/create-job?like=${encodeURIComponent(name)}`} class="button">Create like this</Link>
        <Link to={`/console/compare?jobs=${encodeURIComponent(name)}`} class="button">Compare</Link>
        {value.model?.startsWith("s3://") ? <a class="button" href={objectLink(value.model)}>Download model</a> : null}
      </p>
      <Problem of={failure ?? job.problem} />
      {value.failure ? <section class="failure" aria-label="Failure"><h2>Why it failed</h2><pre tabIndex={0}>{value.failure}</pre></section> : null}
      <Timeline phases={value.phases} now={Date.now() / 1000} />
      <Tabs names={TABS} chosen={tab} choose={(one) => choose({ tab: one.toLowerCase() })} />
      {tab === "Metrics" ? <JobCharts key={name} job={value} /> : null}
      {tab === "Logs" ? <LogView group={JOBS_GROUP} prefix={`${name}/`} following={!over} name={name} /> : null}
      {tab === "Instances" ? <HostCharts job={name} over={over} every={2} read={() => readHostCurves(name, value.instanceCount, { columns: 400 })} /> : null}
      {tab === "Configuration" ? <Configuration job={value} /> : null}
    </>
  );
}

function objectLink(uri: string): string {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return objectAddress(bucket, key);
}

const STATISTICS = ["raw", "Average", "Minimum", "Maximum", "Sum", "p50", "p90", "p99"];

// The samples themselves, or CloudWatch's statistics of periods, which know no steps.
async function readJob(job: Job, window: Window, statistic: string, period: number): Promise<Curve[]> {
  if (statistic === "raw") return readJobCurves([job], window);
  const origin = window.axis === "elapsed" ? job.started ?? job.created : 0;
  const from = window.from === undefined ? job.created - 60 : origin + window.from;
  const to = window.to === undefined ? (job.ended ?? Date.now() / 1000) + 60 : origin + window.to;
  return Promise.all((await jobMetrics(job.name)).map(async (metric) => {
    const points = await readStatistics(metric, period, statistic, from, to);
    const times = points.map((point) => point.time);
    return { ...curveAt(metric, times, points.map((point) => point.value)), x: times.map((time) => time - origin) };
  }));
}

const DEFINITIONS = 'metric_definitions=[{"Name": "train:loss", "Regex": "loss: ([0-9.]+)"}]';

function JobCharts({ job }: { job: Job }) {
  const over = isOver(job);
  const statistic = query.value.get("statistic") ?? "raw";
  const period = Number(query.value.get("period") ?? 60);
  const axes: Axis[] = statistic === "raw" ? ["time", "elapsed", "step"] : ["time", "elapsed"];
  const window = chosenWindow(axes);
  const { axis, smoothing, from, to } = window;
  const loaded = useLoaded(async () => ({ axis, curves: await readJob(job, window, statistic, period) }), [job.started, smoothing, statistic, period, axis, from, to, over], over ? 0 : 1);
  const shown = useLatest(loaded.value), curves = shown?.curves;
  const charts = useMemo(() => chartsBy(curves ?? [], (curve) => chartOf(curve.metric.name), (curve) => curve.metric.name), [curves]);
  return (
    <>
      <div class="tools">
        <label>Statistic <select value={statistic} onChange={(event) => choose({ statistic: event.currentTarget.value })}>{STATISTICS.map((one) => <option key={one}>{one}</option>)}</select></label>
        {statistic === "raw"
          ? <SmoothingChoice smoothing={smoothing} />
          : <label>Period <select value={period} onChange={(event) => choose({ period: event.currentTarget.value })}>
            {[[1, "1 second"], [10, "10 seconds"], [60, "1 minute"], [300, "5 minutes"], [3600, "1 hour"]].map(([seconds, title]) => <option key={seconds} value={seconds}>{title}</option>)}
          </select></label>}
        <AxisChoice axes={axes} axis={axis} />
        <ZoomChoice curves={curves ?? []} window={window} />
      </div>
      <Problem of={loaded.problem} />
      {curves && charts.length === 0 ? job.metricNames.length
        ? <p>No value of {job.metricNames.join(", ")} in {from === undefined ? "the log so far" : "this part of the axis"}.</p>
        : <Empty command={DEFINITIONS}>This job has no metric definitions, which say what of its log is a metric. An estimator has them by:</Empty> : null}
      <div class="charts">{charts.map(([title, lines]) => <Chart key={title} title={title} lines={lines} axis={shown!.axis} zoom={zoomTo} />)}</div>
      {job.finalMetrics.length ? <><h2>Last values</h2><table><thead><tr><th scope="col">Metric</th><th scope="col">Value</th><th scope="col">At</th></tr></thead>
        <tbody>{job.finalMetrics.map((metric) => <tr key={metric.name}><td>{metric.name}</td><td class="number">{number(metric.value)}</td><td><Time at={metric.at} /></td></tr>)}</tbody></table></> : null}
    </>
  );
}

function Configuration({ job }: { job: Job }) {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => { if (!isOver(job)) { const timer = setInterval(() => setNow(Date.now() / 1000), 1000); return () => clearInterval(timer); } return undefined; }, [job.status]);
  return (
    <>
      <Facts rows={[
        ["Created", <Time at={job.created} />], ["Program started", <Time at={job.started} />], ["Ended", <Time at={job.ended} />],
        ["Took", duration((job.ended ?? now) - job.created)], ["Billable", job.billable === undefined ? "–" : `${job.billable} s`],
        ["Instances", `${job.instanceCount} × ${job.instanceType}`], ["Input mode", job.inputMode], ["Image", <code>{job.image}</code>], ["Role", <code>{job.role}</code>],
        ["Output", <StorageLink uri={job.output} />], ["Model", job.model ? <StorageLink uri={job.model} /> : "–"], ["ARN", <code>{job.arn}</code>],
      ]} />
      <h2>Channels</h2>
      <table><thead><tr><th scope="col">Channel</th><th scope="col">Data</th><th scope="col">Mode</th><th scope="col">Distribution</th></tr></thead>
        <tbody>{job.channels.map((channel) => <tr key={channel.name}><td>{channel.name}</td><td><StorageLink uri={channel.uri} /></td><td>{channel.mode}</td><td>{channel.distribution}</td></tr>)}</tbody></table>
      <h2>Hyperparameters</h2>
      <table><thead><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
        <tbody>{Object.entries(job.hyperparameters).sort().map(([name, value]) => <tr key={name}><td>{name}</td><td><code>{value}</code></td></tr>)}</tbody></table>
    </>
  );
}
