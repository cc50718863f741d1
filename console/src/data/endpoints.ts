// Endpoints, what they are made from, and an endpoint asked.
import { call, callAll, request } from "../wire";
import { listPage, type Filter } from "./listing";

export interface EndpointRow {
  name: string;
  status: string;
  created: number;
  modified: number;
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
  variants: Variant[];
}

interface WireRow {
  EndpointName: string;
  EndpointStatus: string;
  CreationTime: number;
  LastModifiedTime: number;
}

const rowOf = (wire: WireRow): EndpointRow => ({ name: wire.EndpointName, status: wire.EndpointStatus, created: wire.CreationTime, modified: wire.LastModifiedTime });

export const listEndpoints = (filter: Filter, token?: string) => listPage<WireRow, EndpointRow>("ListEndpoints", "Endpoints", rowOf, filter, token);

interface WireVariant {
  VariantName: string;
  ModelName?: string;
  InstanceType?: string;
  CurrentInstanceCount?: number;
  DesiredInstanceCount?: number;
  CurrentWeight?: number;
}

export async function describeEndpoint(name: string): Promise<Endpoint> {
  const wire = await call<WireRow & { EndpointConfigName: string; FailureReason?: string; ProductionVariants?: WireVariant[] }>("sagemaker", "DescribeEndpoint", { EndpointName: name });
  const config = await call<{ ProductionVariants: WireVariant[] }>("sagemaker", "DescribeEndpointConfig", { EndpointConfigName: wire.EndpointConfigName })
    .catch(() => ({ ProductionVariants: [] }));
  return {
    ...rowOf(wire), config: wire.EndpointConfigName, failure: wire.FailureReason,
    variants: (wire.ProductionVariants ?? config.ProductionVariants).map((variant) => {
      const configured = config.ProductionVariants.find((other) => other.VariantName === variant.VariantName);
      return {
        name: variant.VariantName, model: configured?.ModelName ?? "", instanceType: configured?.InstanceType ?? "",
        instances: variant.CurrentInstanceCount ?? 0, wanted: variant.DesiredInstanceCount ?? 0, weight: variant.CurrentWeight ?? 0,
      };
    }),
  };
}

export const updateEndpoint = (name: string, config: string) => call("sagemaker", "UpdateEndpoint", { EndpointName: name, EndpointConfigName: config });

export const changeVariant = (endpoint: string, variant: string, count: number, weight: number) =>
  call("sagemaker", "UpdateEndpointWeightsAndCapacities", {
    EndpointName: endpoint, DesiredWeightsAndCapacities: [{ VariantName: variant, DesiredInstanceCount: count, DesiredWeight: weight }],
  });

// With `all`: also its configuration and that one's models, which deletion of an endpoint leaves.
export async function deleteEndpoint(endpoint: Endpoint, all: boolean): Promise<void> {
  await call("sagemaker", "DeleteEndpoint", { EndpointName: endpoint.name });
  if (!all) return;
  await call("sagemaker", "DeleteEndpointConfig", { EndpointConfigName: endpoint.config });
  for (const model of new Set(endpoint.variants.map((variant) => variant.model).filter(Boolean))) await call("sagemaker", "DeleteModel", { ModelName: model });
}

export async function listConfigs(): Promise<string[]> {
  const rows = await callAll<{ EndpointConfigName: string }>("sagemaker", "ListEndpointConfigs", { MaxResults: 100, SortBy: "CreationTime", SortOrder: "Descending" }, "EndpointConfigs", 1000);
  return rows.map((row) => row.EndpointConfigName);
}

export async function listModels(): Promise<string[]> {
  const rows = await callAll<{ ModelName: string }>("sagemaker", "ListModels", { MaxResults: 100, SortBy: "CreationTime", SortOrder: "Descending" }, "Models", 1000);
  return rows.map((row) => row.ModelName);
}

export interface Answer {
  text: string;
  milliseconds: number;
  contentType: string;
  variant: string; // that answered
}

// `variant`: "" asks whichever the weights choose.
export async function invoke(endpoint: string, variant: string, contentType: string, body: BodyInit): Promise<Answer> {
  const started = performance.now();
  const response = await request("POST", `/console/endpoints/${encodeURIComponent(endpoint)}/invocations`, body, {
    "Content-Type": contentType, ...(variant ? { "X-Amzn-SageMaker-Target-Variant": variant } : {}),
  });
  const text = await response.text();
  return { text, milliseconds: performance.now() - started, contentType: response.headers.get("Content-Type") ?? "", variant: response.headers.get("x-Amzn-Invoked-Production-Variant") ?? "" };
}
