// What the instances of a training or transform job used of processor, memory and disk: a chart each, a line for each instance.
import { dimensionOf, type Curve } from "../data/metrics";
import { useLoaded } from "../live";
import { Chart, chartsBy } from "./Chart";
import { Problem } from "./pieces";

const hostOf = (curve: Curve) => dimensionOf(curve.metric, "Host")?.split("/").pop() ?? "";

// `every`: seconds until the curves of a job that is not over are read again.
export function HostCharts({ job, over, every, read }: { job: string; over: boolean; every: number; read: () => Promise<Curve[]> }) {
  const curves = useLoaded(read, [job, over], over ? 0 : every);
  const charts = chartsBy(curves.value ?? [], (curve) => curve.metric.name, hostOf);
  return (
    <>
      <Problem of={curves.problem} />
      <div class="charts">{charts.map(([title, lines]) => <Chart key={title} title={title} lines={lines} />)}</div>
      {curves.value && charts.length === 0 ? <p>Nothing measured: the job was too short, or has not started.</p> : null}
    </>
  );
}
