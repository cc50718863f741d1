// Endpoints, batch transform jobs, and an endpoint asked.
import { call, request } from "../wire";

export interface EndpointRow {
  name: string;
  status: string;
  created: number;
}

export interface Variant {
  name: string;
  model: string;
  instanceType: string;
  instances: number;
  wanted: number;
  weight: number;
}

export interface Endpoint extends EndpointRow {
  config: string;
  failure?: string;
  modified: number;
  variants: Variant[];
}

export async function listEndpoints(token?: string): Promise<{ rows: EndpointRow[]; next?: string }> {
  const page = await call<{ Endpoints: { EndpointName: string; EndpointStatus: string; CreationTime: number }[]; NextToken?: string }>(
    "sagemaker", "ListEndpoints", { MaxResults: 100, SortBy: "CreationTime", SortOrder: "Descending", ...(token ? { NextToken: token } : {}) });
  return { rows: page.Endpoints.map((wire) => ({ name: wire.EndpointName, status: wire.EndpointStatus, created: wire.CreationTime })), next: page.NextToken };
}

interface WireVariant {
  VariantName: string;
  ModelName?: string;
  InstanceType?: string;
  CurrentInstanceCount?: number;
  DesiredInstanceCount?: number;
  CurrentWeight?: number;
}

export async function describeEndpoint(name: string): Promise<Endpoint> {
  const wire = await call<{
    EndpointName: string; EndpointStatus: string; EndpointConfigName: string; CreationTime: number; LastModifiedTime: number; FailureReason?: string; ProductionVariants?: WireVariant[];
  }>("sagemaker", "DescribeEndpoint", { EndpointName: name });
  const config = await call<{ ProductionVariants: WireVariant[] }>("sagemaker", "DescribeEndpointConfig", { EndpointConfigName: wire.EndpointConfigName })
    .catch(() => ({ ProductionVariants: [] }));
  return {
    name: wire.EndpointName, status: wire.EndpointStatus, created: wire.CreationTime, modified: wire.LastModifiedTime, config: wire.EndpointConfigName, failure: wire.FailureReason,
    variants: (wire.ProductionVariants ?? config.ProductionVariants).map((variant) => {
      const configured = config.ProductionVariants.find((other) => other.VariantName === variant.VariantName);
      return {
        name: variant.VariantName, model: configured?.ModelName ?? "", instanceType: configured?.InstanceType ?? "",
        instances: variant.CurrentInstanceCount ?? 0, wanted: variant.DesiredInstanceCount ?? 0, weight: variant.CurrentWeight ?? 0,
      };
    }),
  };
}

export const deleteEndpoint = (name: string) => call("sagemaker", "DeleteEndpoint", { EndpointName: name });
export const scaleVariant = (endpoint: string, variant: string, count: number) =>
  call("sagemaker", "UpdateEndpointWeightsAndCapacities", { EndpointName: endpoint, DesiredWeightsAndCapacities: [{ VariantName: variant, DesiredInstanceCount: count }] });

export interface Answer {
  text: string;
  milliseconds: number;
  contentType: string;
}

export async function invoke(endpoint: string, contentType: string, body: BodyInit): Promise<Answer> {
  const started = performance.now();
  const response = await request("POST", `/console/endpoints/${encodeURIComponent(endpoint)}/invocations`, body, { "Content-Type": contentType });
  const text = await response.text();
  return { text, milliseconds: performance.now() - started, contentType: response.headers.get("Content-Type") ?? "" };
}

export interface TransformRow {
  name: string;
  status: string;
  created: number;
  ended?: number;
}

export async function listTransforms(): Promise<TransformRow[]> {
  const page = await call<{ TransformJobSummaries: { TransformJobName: string; TransformJobStatus: string; CreationTime: number; TransformEndTime?: number }[] }>(
    "sagemaker", "ListTransformJobs", { MaxResults: 100, SortBy: "CreationTime", SortOrder: "Descending" });
  return page.TransformJobSummaries.map((wire) => ({ name: wire.TransformJobName, status: wire.TransformJobStatus, created: wire.CreationTime, ended: wire.TransformEndTime }));
}
