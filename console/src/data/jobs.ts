// Training jobs, as the console shows them.
import { call, type Json } from "../wire";
import { listPage, type Filter } from "./listing";

export type JobStatus = "InProgress" | "Completed" | "Failed" | "Stopping" | "Stopped";

export interface JobRow {
  name: string;
  status: JobStatus;
  phase: string;
  created: number; // seconds, as all times here
  ended?: number;
}

export interface Phase {
  name: string;
  start: number;
  end?: number;
  message: string;
}

export interface Job extends JobRow {
  arn: string;
  role: string;
  image: string;
  inputMode: string;
  instanceType: string;
  instanceCount: number;
  started?: number; // the program runs
  billable?: number;
  failure?: string;
  model?: string;
  output: string;
  hyperparameters: Record<string, string>;
  channels: { name: string; uri: string; type: string; distribution: string; mode: string }[];
  phases: Phase[];
  finalMetrics: { name: string; value: number; at: number }[];
  metricNames: string[];
  request: Json; // what CreateTrainingJob would take for the same job
}

export const isOver = (job: { status: string }) => ["Completed", "Failed", "Stopped"].includes(job.status);

interface WireRow {
  TrainingJobName: string;
  TrainingJobStatus: JobStatus;
  SecondaryStatus?: string;
  CreationTime: number;
  TrainingEndTime?: number;
}

const rowOf = (wire: WireRow): JobRow => ({
  name: wire.TrainingJobName, status: wire.TrainingJobStatus, phase: wire.SecondaryStatus ?? "", created: wire.CreationTime, ended: wire.TrainingEndTime,
});

export const listJobs = (filter: Filter, token?: string) => listPage<WireRow, JobRow>("ListTrainingJobs", "TrainingJobSummaries", rowOf, filter, token);

interface WireChannel {
  ChannelName: string;
  InputMode?: string;
  DataSource: { S3DataSource?: { S3Uri: string; S3DataType: string; S3DataDistributionType?: string } };
}

interface WireJob extends WireRow {
  TrainingJobArn: string;
  RoleArn: string;
  AlgorithmSpecification: { TrainingImage?: string; TrainingInputMode: string; MetricDefinitions?: { Name: string }[] };
  ResourceConfig: { InstanceType?: string; InstanceCount?: number; InstanceGroups?: { InstanceType: string; InstanceCount: number }[] };
  HyperParameters?: Record<string, string>;
  InputDataConfig?: WireChannel[];
  OutputDataConfig: { S3OutputPath: string };
  ModelArtifacts?: { S3ModelArtifacts?: string };
  FailureReason?: string;
  TrainingStartTime?: number;
  BillableTimeInSeconds?: number;
  SecondaryStatusTransitions?: { Status: string; StartTime: number; EndTime?: number; StatusMessage?: string }[];
  FinalMetricDataList?: { MetricName: string; Value: number; Timestamp: number }[];
}

const CREATE_MEMBERS = ["AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition", "HyperParameters",
  "Environment", "CheckpointConfig", "VpcConfig", "RetryStrategy"];

// What describes nothing is no part of a request.
const isEmpty = (value: unknown) => value === "" || value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutEmpty(part)]).filter(([, part]) => !isEmpty(part)));
}

const createRequest = (wire: Json) =>
  withoutEmpty(Object.fromEntries(CREATE_MEMBERS.filter((member) => member in wire).map((member) => [member, wire[member]]))) as Json;

// Values of hyperparameters are JSON in a string: "\"adam\"" is adam.
function plain(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "string" ? parsed : value;
  } catch {
    return value;
  }
}

function jobOf(wire: WireJob): Job {
  const groups = wire.ResourceConfig.InstanceGroups ?? [];
  return {
    ...rowOf(wire),
    arn: wire.TrainingJobArn,
    role: wire.RoleArn,
    image: wire.AlgorithmSpecification.TrainingImage ?? "",
    inputMode: wire.AlgorithmSpecification.TrainingInputMode,
    instanceType: wire.ResourceConfig.InstanceType ?? groups.map((group) => group.InstanceType).join(", "),
    instanceCount: wire.ResourceConfig.InstanceCount ?? groups.reduce((sum, group) => sum + group.InstanceCount, 0),
    started: wire.TrainingStartTime,
    billable: wire.BillableTimeInSeconds,
    failure: wire.FailureReason,
    model: wire.ModelArtifacts?.S3ModelArtifacts,
    output: wire.OutputDataConfig.S3OutputPath,
    hyperparameters: Object.fromEntries(Object.entries(wire.HyperParameters ?? {}).map(([name, value]) => [name, plain(value)])),
    channels: (wire.InputDataConfig ?? []).map((channel) => ({
      name: channel.ChannelName,
      uri: channel.DataSource.S3DataSource?.S3Uri ?? "",
      type: channel.DataSource.S3DataSource?.S3DataType ?? "",
      distribution: channel.DataSource.S3DataSource?.S3DataDistributionType ?? "FullyReplicated",
      mode: channel.InputMode ?? wire.AlgorithmSpecification.TrainingInputMode,
    })),
    phases: (wire.SecondaryStatusTransitions ?? []).map((phase) => ({ name: phase.Status, start: phase.StartTime, end: phase.EndTime, message: phase.StatusMessage ?? "" })),
    finalMetrics: (wire.FinalMetricDataList ?? []).map((metric) => ({ name: metric.MetricName, value: metric.Value, at: metric.Timestamp })),
    metricNames: (wire.AlgorithmSpecification.MetricDefinitions ?? []).map((definition) => definition.Name),
    request: createRequest(wire as unknown as Json),
  };
}

export const describeJob = async (name: string) => jobOf(await call<WireJob>("sagemaker", "DescribeTrainingJob", { TrainingJobName: name }));
// What `headrace jobs compare` says of a job: a number and where it comes from, or why there is none.
export interface Figure {
  value?: number;
  source: string;
}

export interface Speed {
  firstStep: Figure; // seconds from the job's creation
  epoch: Figure; // seconds
  imagesPerSecond: Figure;
  billable: Figure; // seconds, of all instances together
  cost: Figure;
}

export async function readSpeed(name: string): Promise<Speed> {
  const wire = await call<Json>("headrace", "CompareTrainingJob", { TrainingJobName: name });
  const figure = (member: string): Figure => ({ value: (wire[member] as number | null) ?? undefined, source: String(wire[`${member}_source`]) });
  return { firstStep: figure("first_step_seconds"), epoch: figure("epoch_seconds"), imagesPerSecond: figure("images_per_second"), billable: figure("billable_seconds"), cost: figure("cost") };
}

export const stopJob = (name: string) => call("sagemaker", "StopTrainingJob", { TrainingJobName: name });
export const createJob = (name: string, request: Json) => call("sagemaker", "CreateTrainingJob", { TrainingJobName: name, ...request });
