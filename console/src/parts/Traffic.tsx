// What requests to an endpoint did: figures by variant, and the same over time.
import { curveAt, dimensionOf, endpointMetrics, readCurves, type Curve } from "../data/metrics";
import { readTraffic, type PeriodFigures } from "../data/traffic";
import { number } from "../format";
import { useLoaded } from "../live";
import { choose, query } from "../router";
import { Chart, chartsBy, type Line } from "./Chart";
import { Empty, Problem, Time } from "./pieces";

const PERIODS = [[1, "1 second"], [10, "10 seconds"], [60, "1 minute"], [300, "5 minutes"], [3600, "1 hour"], [86400, "1 day"]] as const;
const WINDOWS = [[900, "15 minutes"], [3600, "1 hour"], [10_800, "3 hours"], [86_400, "1 day"], [604_800, "1 week"]] as const;
const LATENCIES = [["p50", "p50"], ["p90", "p90"], ["p99", "p99"]] as const;

const milliseconds = (value: number) => (isNaN(value) ? "–" : `${number(value)} ms`);

function lineOf(label: string, periods: PeriodFigures[], value: (period: PeriodFigures) => number): Line {
  const drawn = periods.filter((period) => !isNaN(value(period)));
  const curve = curveAt({ namespace: "", name: label, dimensions: [] }, drawn.map((period) => period.time), drawn.map(value));
  return { label, curve };
}

function chartsOf(variants: string[], traffic: PeriodFigures[][]): [string, Line[]][] {
  const each = (lines: (variant: string, periods: PeriodFigures[]) => Line[]) => variants.flatMap((variant, i) => lines(variant, traffic[i] ?? []));
  return [
    ["Requests", each((variant, periods) => [lineOf(variant, periods, (period) => period.requests)])],
    ["Errors", each((variant, periods) => [lineOf(`${variant} 4xx`, periods, (period) => period.clientErrors), lineOf(`${variant} 5xx`, periods, (period) => period.serverErrors)])],
    ["Model latency (ms)", each((variant, periods) => LATENCIES.map(([figure, title]) => lineOf(`${variant} ${title}`, periods, (period) => period[figure])))],
    ["Overhead (ms)", each((variant, periods) => [lineOf(`${variant} p99`, periods, (period) => period.overhead99)])],
  ];
}

export function Traffic({ name, variants }: { name: string; variants: string[] }) {
  const period = Number(query.value.get("period") ?? 60), window = Number(query.value.get("window") ?? 3600);
  const traffic = useLoaded(() => { const now = Date.now() / 1000; return readTraffic(name, variants, period, now - window, now + period); }, [name, variants.join(), period, window], 2);
  const used = useLoaded(async () => readCurves(await endpointMetrics(name), { columns: 600, from: Date.now() / 1000 - window }), [name, window], 5);
  const hosts = chartsBy(used.value ?? [], (curve) => curve.metric.name, variantOf);
  const any = (traffic.value ?? []).some((periods) => periods.length > 0);
  return (
    <>
      <div class="tools">
        <label>Period <select value={period} onChange={(event) => choose({ period: event.currentTarget.value })}>{PERIODS.map(([seconds, title]) => <option key={seconds} value={seconds}>{title}</option>)}</select></label>
        <label>The last <select value={window} onChange={(event) => choose({ window: event.currentTarget.value })}>{WINDOWS.map(([seconds, title]) => <option key={seconds} value={seconds}>{title}</option>)}</select></label>
      </div>
      <Problem of={traffic.problem ?? used.problem} />
      {traffic.value && !any ? <Empty command={`headrace invoke ${name} image.npy`}>No request in this time. One is sent by:</Empty> : null}
      {any ? <VariantFigures variants={variants} traffic={traffic.value!} /> : null}
      <div class="charts">
        {any ? chartsOf(variants, traffic.value!).map(([title, lines]) => <Chart key={title} title={title} lines={lines} />) : null}
        {hosts.map(([title, lines]) => <Chart key={title} title={title} lines={lines} />)}
      </div>
    </>
  );
}

// Counts are those of the whole time; percentiles do not add up, and are those of the last period with a request.
function VariantFigures({ variants, traffic }: { variants: string[]; traffic: PeriodFigures[][] }) {
  const sum = (periods: PeriodFigures[], figure: "requests" | "clientErrors" | "serverErrors") => periods.reduce((total, period) => total + period[figure], 0);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Variants' figures"><table>
      <caption>Counts of the whole time; latencies of the last period with a request.</caption>
      <thead><tr>{["Variant", "Requests", "4xx", "5xx", "p50", "p90", "p99", "Slowest", "Overhead p99", "Last period"].map((title) => <th scope="col" key={title}>{title}</th>)}</tr></thead>
      <tbody>{variants.map((variant, i) => {
        const periods = traffic[i] ?? [], last = periods.findLast((period) => !isNaN(period.p50));
        return (
          <tr key={variant}><th scope="row">{variant}</th>
            <td class="number">{sum(periods, "requests").toLocaleString()}</td><td class="number">{sum(periods, "clientErrors").toLocaleString()}</td><td class="number">{sum(periods, "serverErrors").toLocaleString()}</td>
            {([last?.p50, last?.p90, last?.p99, last?.slowest, last?.overhead99] as const).map((value, at) => <td class="number" key={at}>{milliseconds(value ?? NaN)}</td>)}
            <td><Time at={last?.time} /></td></tr>
        );
      })}</tbody>
    </table></div>
  );
}

const variantOf = (curve: Curve) => dimensionOf(curve.metric, "VariantName") ?? curve.metric.name;
