// Metrics, as charts draw them.
import { call, callAll } from "../wire";

export interface Metric {
  namespace: string;
  name: string;
  dimensions: { Name: string; Value: string }[];
}

export interface Curve {
  metric: Metric;
  samples: number; // that there are; a curve of more than the chart's columns has a least and greatest value by column
  times: number[];
  values: number[]; // of a column: its last
  smoothed?: number[]; // computed over all samples, however few are drawn
  minimums?: number[];
  maximums?: number[];
}

const JOBS = "/aws/sagemaker/TrainingJobs";

interface WireMetric {
  Namespace: string;
  MetricName: string;
  Dimensions?: { Name: string; Value: string }[];
}

const metricOf = (wire: WireMetric): Metric => ({ namespace: wire.Namespace, name: wire.MetricName, dimensions: wire.Dimensions ?? [] });

// What the job's program reported, and what its hosts used of processor, memory and disk.
export async function jobMetrics(job: string, hosts: number): Promise<{ program: Metric[]; hosts: Metric[] }> {
  const list = (dimension: string, value: string) =>
    callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: JOBS, Dimensions: [{ Name: dimension, Value: value }] }, "Metrics");
  const [program, ...used] = await Promise.all([
    list("TrainingJobName", job),
    ...Array.from({ length: Math.min(hosts, 16) }, (_, host) => list("Host", `${job}/algo-${host + 1}`)),
  ]);
  return { program: program.map(metricOf), hosts: used.flat().map(metricOf) };
}

// What the instances of a job used, of jobs whose instances are not known by name.
export async function hostMetrics(namespace: string, job: string): Promise<Metric[]> {
  const all = await callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: namespace, Dimensions: [{ Name: "Host" }] }, "Metrics");
  return all.map(metricOf).filter((metric) => metric.dimensions.some((dimension) => dimension.Value.startsWith(`${job}/`)));
}

export async function endpointMetrics(endpoint: string): Promise<Metric[]> {
  const of = async (namespace: string) =>
    (await callAll<WireMetric>("monitoring", "ListMetrics", { Namespace: namespace, Dimensions: [{ Name: "EndpointName", Value: endpoint }] }, "Metrics")).map(metricOf);
  return (await Promise.all([of("AWS/SageMaker"), of("/aws/sagemaker/Endpoints")])).flat();
}

interface WireCurve {
  SampleCount: number;
  Times: number[];
  Values: number[];
  Smoothed?: number[];
  Minimums?: number[];
  Maximums?: number[];
}

export interface Window {
  from?: number;
  to?: number;
  columns?: number;
  smoothing?: number; // 0 to 0.999, the weight of what was before
}

export async function readCurves(metrics: Metric[], window: Window = {}): Promise<Curve[]> {
  if (metrics.length === 0) return [];
  const reply = await call<{ Curves: WireCurve[] }>("headrace", "GetMetricCurves", {
    Curves: metrics.map((metric) => ({ Namespace: metric.namespace, MetricName: metric.name, Dimensions: metric.dimensions })),
    Columns: window.columns ?? 800,
    ...(window.smoothing ? { Smoothing: window.smoothing } : {}),
    ...(window.from === undefined ? {} : { StartTime: window.from }),
    ...(window.to === undefined ? {} : { EndTime: window.to }),
  });
  return reply.Curves.map((wire, i) => ({
    metric: metrics[i]!, samples: wire.SampleCount, times: wire.Times, values: wire.Values, smoothed: wire.Smoothed, minimums: wire.Minimums, maximums: wire.Maximums,
  }));
}

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
