// One endpoint: its variants, its traffic, its log, and a tester.
import { useState } from "preact/hooks";
import { deleteEndpoint, describeEndpoint, scaleVariant, type Endpoint } from "../data/endpoints";
import { endpointGroup } from "../data/logs";
import { endpointMetrics, readCurves, type Curve } from "../data/metrics";
import { useLoaded } from "../live";
import { Chart, type Line } from "../parts/Chart";
import { LogView } from "../parts/LogView";
import { Facts, Problem, Status, Tabs, Time } from "../parts/pieces";
import { Tester } from "../parts/Tester";
import { choose, go, query } from "../router";

const TABS = ["Test", "Traffic", "Logs"];

export function EndpointPage({ name }: { name: string }) {
  const endpoint = useLoaded(() => describeEndpoint(name), [name], 2);
  const [failure, setFailure] = useState<Error>();
  const tab = TABS.find((one) => one.toLowerCase() === query.value.get("tab")) ?? "Test";
  if (!endpoint.value) return <><h1>{name}</h1><Problem of={endpoint.problem} /></>;
  const value = endpoint.value;
  const attempt = async (act: () => Promise<unknown>, then: () => void) => {
    try { await act(); setFailure(undefined); then(); } catch (problem) { setFailure(problem as Error); }
  };
  const remove = () => {
    if (prompt(`Requests to ${name} fail from then on. Type its name to delete it.`) === name) void attempt(() => deleteEndpoint(name), () => go("/console/endpoints"));
  };
  const scale = (variant: string, before: number) => {
    const count = Number(prompt(`Instances of ${variant}`, String(before)));
    if (Number.isInteger(count) && count > 0 && count !== before) void attempt(() => scaleVariant(name, variant, count), endpoint.reload);
  };
  return (
    <>
      <h1>{name}</h1>
      <p class="tools"><Status of={value.status} /><button onClick={remove}>Delete</button></p>
      <Problem of={failure ?? endpoint.problem} />
      {value.failure ? <section class="failure" aria-label="Failure"><h2>Why it failed</h2><pre tabIndex={0}>{value.failure}</pre></section> : null}
      <Facts rows={[["Created", <Time at={value.created} />], ["Changed", <Time at={value.modified} />], ["Configuration", value.config]]} />
      <Variants endpoint={value} scale={scale} />
      <Tabs names={TABS} chosen={tab} choose={(one) => choose({ tab: one.toLowerCase() })} />
      {tab === "Test" ? <Tester endpoint={name} /> : null}
      {tab === "Traffic" ? <Traffic name={name} /> : null}
      {tab === "Logs" ? <LogView group={endpointGroup(name)} prefix="" following name={name} /> : null}
    </>
  );
}

function Variants({ endpoint, scale }: { endpoint: Endpoint; scale: (variant: string, before: number) => void }) {
  return (
    <table>
      <thead><tr><th scope="col">Variant</th><th scope="col">Model</th><th scope="col">Instances</th><th scope="col">Weight</th><th scope="col"><span class="visually-hidden">Scale</span></th></tr></thead>
      <tbody>{endpoint.variants.map((variant) => (
        <tr key={variant.name}><td>{variant.name}</td><td>{variant.model}</td><td>{variant.instances} of {variant.wanted} × {variant.instanceType}</td><td class="number">{variant.weight}</td>
          <td><button class="quiet" onClick={() => scale(variant.name, variant.wanted)}>Scale</button></td></tr>
      ))}</tbody>
    </table>
  );
}

function Traffic({ name }: { name: string }) {
  const curves = useLoaded(async () => readCurves(await endpointMetrics(name), { columns: 600 }), [name], 2);
  const charts = new Map<string, Line[]>();
  for (const curve of curves.value ?? []) charts.set(curve.metric.name, [...(charts.get(curve.metric.name) ?? []), { label: variantOf(curve), curve }]);
  return <><Problem of={curves.problem} /><div class="charts">{[...charts].map(([title, lines]) => <Chart key={title} title={title} lines={lines} />)}</div>
    {curves.value && charts.size === 0 ? <p>No request so far.</p> : null}</>;
}

const variantOf = (curve: Curve) => curve.metric.dimensions.find((dimension) => dimension.Name === "VariantName")?.Value ?? curve.metric.name;
