// What requests to an endpoint did, by variant and period: how many, how many failed, and the percentiles of their latency.
import { call } from "../wire";

export interface PeriodFigures {
  time: number; // when the period begins
  requests: number;
  clientErrors: number;
  serverErrors: number;
  p50: number; // of the model, milliseconds, as all latencies here
  p90: number;
  p99: number;
  slowest: number;
  overhead99: number; // of the platform around it
}

type Figure = Exclude<keyof PeriodFigures, "time">;

const FIGURES: Record<Figure, [metric: string, statistic: string, factor: number]> = {
  requests: ["Invocations", "Sum", 1],
  clientErrors: ["Invocation4XXErrors", "Sum", 1],
  serverErrors: ["Invocation5XXErrors", "Sum", 1],
  p50: ["ModelLatency", "p50", 1e-3],
  p90: ["ModelLatency", "p90", 1e-3],
  p99: ["ModelLatency", "p99", 1e-3],
  slowest: ["ModelLatency", "Maximum", 1e-3],
  overhead99: ["OverheadLatency", "p99", 1e-3],
};
const NAMES = Object.keys(FIGURES) as Figure[];

interface WireResults {
  MetricDataResults: { Id: string; Timestamps: number[]; Values: number[] }[];
  NextToken?: string;
}

// Of each variant the periods that had requests, the oldest first.
export async function readTraffic(endpoint: string, variants: string[], period: number, from: number, to: number): Promise<PeriodFigures[][]> {
  const queries = variants.flatMap((variant, v) => NAMES.map((name) => ({
    Id: `v${v}_${name}`,
    MetricStat: {
      Metric: { Namespace: "AWS/SageMaker", MetricName: FIGURES[name][0], Dimensions: [{ Name: "EndpointName", Value: endpoint }, { Name: "VariantName", Value: variant }] },
      Period: period, Stat: FIGURES[name][1],
    },
  })));
  const found = variants.map(() => new Map<number, PeriodFigures>());
  let token: string | undefined;
  do {
    const page: WireResults = await call("monitoring", "GetMetricData", {
      MetricDataQueries: queries, StartTime: from, EndTime: to, ScanBy: "TimestampAscending", ...(token ? { NextToken: token } : {}),
    });
    for (const result of page.MetricDataResults) {
      const [, v = "0", name = ""] = /^v(\d+)_(\w+)$/.exec(result.Id) ?? [];
      const periods = found[Number(v)]!;
      result.Timestamps.forEach((time, i) => {
        const row = periods.get(time) ?? { time, requests: 0, clientErrors: 0, serverErrors: 0, p50: NaN, p90: NaN, p99: NaN, slowest: NaN, overhead99: NaN };
        row[name as Figure] = result.Values[i]! * FIGURES[name as Figure][2];
        periods.set(time, row);
      });
    }
    token = page.NextToken;
  } while (token);
  return found.map((periods) => [...periods.values()].sort((a, b) => a.time - b.time));
}
