// Metrics, as charts draw them.
import { call, callAll } from "../wire";

export interface Metric {
  namespace: string;
  name: string;
  dimensions: { Name: string; Value: string }[];
}

// By columns of the chart's grid, those in which something lies: the same for all curves that were read together.
export interface Curve {
  metric: Metric;
  samples: number; // in what is drawn
  x: number[]; // of the columns, on the chart's axis
  times: number[]; // of a column: its last sample's
  values: number[]; // likewise
  smoothed?: number[]; // computed over all samples, however few are drawn
  minimums?: number[]; // where a column has more than one value
  maximums?: number[];
}

// What has not been read by columns: a value at each of these times.
export const curveAt = (metric: Metric, times: number[], values: number[]): Curve => ({ metric, samples: times.length, x: times, times, values });

export type Axis = "time" | "elapsed" | "step"; // "step": a metric's first sample is step 1

export const dimensionOf = (metric: Metric, name: string) => metric.dimensions.find((dimension) => dimension.Name === name)?.Value;

const JOBS = "/aws/sagemaker/TrainingJobs";

interface WireMetric {
  Namespace: string;
  MetricName: string;
  Dimensions?: { Name: string; Value: string }[];
}

const metricOf = (wire: WireMetric): Metric => ({ namespace: wire.Namespace, name: wire.MetricName, dimensions: wire.Dimensions ?? [] });

// What the job's program reported.
export async function jobMetrics(job: string): Promise<Metric[]> {
  return (await callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: JOBS, Dimensions: [{ Name: "TrainingJobName", Value: job }] }, "Metrics")).map(metricOf);
}

// What the instances of a job used, of jobs whose instances are not known by name.
export async function hostMetrics(namespace: string, job: string): Promise<Metric[]> {
  const all = await callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: namespace, Dimensions: [{ Name: "Host" }] }, "Metrics");
  return all.map(metricOf).filter((metric) => metric.dimensions.some((dimension) => dimension.Value.startsWith(`${job}/`)));
}

// What the instances behind an endpoint use; what its requests do is in `traffic`.
export async function endpointMetrics(endpoint: string): Promise<Metric[]> {
  const dimensions = [{ Name: "EndpointName", Value: endpoint }];
  return (await callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: "/aws/sagemaker/Endpoints", Dimensions: dimensions }, "Metrics")).map(metricOf);
}

interface WireCurve {
  Curve: number;
  MetricName: string;
  SampleCount: number;
  Columns: number[];
  Times: number[];
  Values: number[];
  Smoothed?: number[];
  Minimums?: number[];
  Maximums?: number[];
}

export interface Window {
  axis?: Axis;
  from?: number; // on the axis
  to?: number;
  columns?: number;
  smoothing?: number; // 0 to 0.999, the weight of what was before
}

// All curves of one dimension set, or one of them; `origin`: where its axis of elapsed time begins.
interface Wanted {
  namespace: string;
  name?: string;
  dimensions: { Name: string; Value: string }[];
  origin?: number;
}

async function read(wanted: Wanted[], window: Window): Promise<Curve[]> {
  if (wanted.length === 0) return [];
  const reply = await call<{ Start: number; Width: number; Curves: WireCurve[] }>("headrace", "GetMetricCurves", {
    Curves: wanted.map(({ namespace, name, dimensions, origin }) => ({
      Namespace: namespace, MetricName: name, Dimensions: dimensions, Origin: window.axis === "elapsed" ? origin : undefined,
    })),
    Axis: window.axis === "step" ? "Step" : "Time", Columns: window.columns ?? 800, Smoothing: window.smoothing, From: window.from, To: window.to,
  });
  return reply.Curves.map((wire) => ({
    metric: { namespace: wanted[wire.Curve]!.namespace, name: wire.MetricName, dimensions: wanted[wire.Curve]!.dimensions },
    samples: wire.SampleCount, x: wire.Columns.map((column) => reply.Start + column * reply.Width),
    times: wire.Times, values: wire.Values, smoothed: wire.Smoothed, minimums: wire.Minimums, maximums: wire.Maximums,
  }));
}

export const readCurves = (metrics: Metric[], window: Window = {}) => read(metrics, window);

// What the jobs' programs reported, of all jobs on one grid; `jobOf` says whose a curve is.
export const readJobCurves = (jobs: { name: string; started?: number; created: number }[], window: Window) =>
  read(jobs.map((job) => ({ namespace: JOBS, dimensions: [{ Name: "TrainingJobName", Value: job.name }], origin: job.started ?? job.created })), window);
export const jobOf = (curve: Curve) => curve.metric.dimensions[0]!.Value;

// What a job's hosts used of processor, memory and disk.
export const readHostCurves = (job: string, hosts: number, window: Window) =>
  read(Array.from({ length: Math.min(hosts, 16) }, (_, host) => ({ namespace: JOBS, dimensions: [{ Name: "Host", Value: `${job}/algo-${host + 1}` }] })), window);

export interface Statistic {
  time: number;
  value: number;
}

// CloudWatch's statistics by period: "Average", "Sum", "p99", …
export async function readStatistics(metric: Metric, period: number, statistic: string, from: number, to: number): Promise<Statistic[]> {
  const reply = await call<{ MetricDataResults: { Timestamps: number[]; Values: number[] }[] }>("monitoring", "GetMetricData", {
    MetricDataQueries: [{ Id: "m", MetricStat: { Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions: metric.dimensions }, Period: period, Stat: statistic } }],
    StartTime: from, EndTime: to, ScanBy: "TimestampAscending",
  });
  const result = reply.MetricDataResults[0];
  return (result?.Timestamps ?? []).map((time, i) => ({ time, value: result!.Values[i]! }));
}

// "train:loss" and "validation:loss" belong in one chart, "loss".
export const chartOf = (name: string) => name.slice(name.lastIndexOf(":") + 1);
