// Batch transform jobs.
import { call, type Json } from "../wire";
import { listPage, type Filter } from "./listing";

export interface TransformRow {
  name: string;
  status: string;
  created: number;
  ended?: number;
}

export interface Transform extends TransformRow {
  arn: string;
  model: string;
  started?: number;
  failure?: string;
  input: string;
  contentType: string;
  split: string;
  output: string;
  accept: string;
  assemble: string;
  strategy: string;
  instanceType: string;
  instanceCount: number;
  concurrent?: number;
  payload?: number; // MB
  request: Json; // what CreateTransformJob would take for the same job
}

interface WireRow {
  TransformJobName: string;
  TransformJobStatus: string;
  CreationTime: number;
  TransformEndTime?: number;
}

const rowOf = (wire: WireRow): TransformRow => ({ name: wire.TransformJobName, status: wire.TransformJobStatus, created: wire.CreationTime, ended: wire.TransformEndTime });

export const listTransforms = (filter: Filter, token?: string) => listPage<WireRow, TransformRow>("ListTransformJobs", "TransformJobSummaries", rowOf, filter, token);

interface WireTransform extends WireRow {
  TransformJobArn: string;
  ModelName: string;
  TransformStartTime?: number;
  FailureReason?: string;
  BatchStrategy?: string;
  MaxConcurrentTransforms?: number;
  MaxPayloadInMB?: number;
  TransformInput: { DataSource: { S3DataSource?: { S3Uri: string } }; ContentType?: string; SplitType?: string };
  TransformOutput: { S3OutputPath: string; Accept?: string; AssembleWith?: string };
  TransformResources: { InstanceType: string; InstanceCount: number };
}

const CREATE_MEMBERS = ["ModelName", "TransformInput", "TransformOutput", "TransformResources", "BatchStrategy", "MaxConcurrentTransforms", "MaxPayloadInMB", "ModelClientConfig",
  "Environment", "DataProcessing"];

export async function describeTransform(name: string): Promise<Transform> {
  const wire = await call<WireTransform>("sagemaker", "DescribeTransformJob", { TransformJobName: name });
  const document = wire as unknown as Json;
  return {
    ...rowOf(wire), arn: wire.TransformJobArn, model: wire.ModelName, started: wire.TransformStartTime, failure: wire.FailureReason,
    input: wire.TransformInput.DataSource.S3DataSource?.S3Uri ?? "", contentType: wire.TransformInput.ContentType ?? "", split: wire.TransformInput.SplitType ?? "None",
    output: wire.TransformOutput.S3OutputPath, accept: wire.TransformOutput.Accept ?? "", assemble: wire.TransformOutput.AssembleWith ?? "None",
    strategy: wire.BatchStrategy ?? "", instanceType: wire.TransformResources.InstanceType, instanceCount: wire.TransformResources.InstanceCount,
    concurrent: wire.MaxConcurrentTransforms, payload: wire.MaxPayloadInMB,
    request: Object.fromEntries(CREATE_MEMBERS.filter((member) => member in document).map((member) => [member, document[member]])),
  };
}

export const stopTransform = (name: string) => call("sagemaker", "StopTransformJob", { TransformJobName: name });
export const createTransform = (name: string, request: Json) => call("sagemaker", "CreateTransformJob", { TransformJobName: name, ...request });
