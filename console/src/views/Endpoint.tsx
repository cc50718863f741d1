// One endpoint: its variants, which are scaled here, its traffic, its logs, a tester; another configuration, and its end.
import { useState } from "preact/hooks";
import { changeVariant, deleteEndpoint, describeEndpoint, listConfigs, updateEndpoint, type Endpoint, type Variant } from "../data/endpoints";
import { endpointGroup } from "../data/logs";
import { percent } from "../format";
import { useLoaded } from "../live";
import { Dialog } from "../parts/Dialog";
import { LogView } from "../parts/LogView";
import { Facts, Problem, Status, Tabs, Time } from "../parts/pieces";
import { Tester } from "../parts/Tester";
import { Traffic } from "../parts/Traffic";
import { choose, go, query } from "../router";
import { Reports } from "./Evaluations";

const TABS = ["Test", "Traffic", "Logs", "Evaluation"];

type Asked = { what: "delete" | "update" } | { what: "scale"; variant: Variant };

export function EndpointPage({ name }: { name: string }) {
  const endpoint = useLoaded(() => describeEndpoint(name), [name], 2);
  const [asked, setAsked] = useState<Asked>();
  const tab = TABS.find((one) => one.toLowerCase() === query.value.get("tab")) ?? "Test";
  if (!endpoint.value) return <><h1>{name}</h1><Problem of={endpoint.problem} /></>;
  const value = endpoint.value, close = () => setAsked(undefined);
  const done = () => { close(); endpoint.reload(); };
  return (
    <>
      <h1>{name}</h1>
      <p class="tools"><Status of={value.status} /><button onClick={() => setAsked({ what: "update" })}>Update</button><button onClick={() => setAsked({ what: "delete" })}>Delete</button></p>
      <Problem of={endpoint.problem} />
      {value.failure ? <section class="failure" aria-label="Failure"><h2>Why it failed</h2><pre tabIndex={0}>{value.failure}</pre></section> : null}
      <Facts rows={[["Created", <Time at={value.created} />], ["Changed", <Time at={value.modified} />], ["Configuration", value.config]]} />
      <Variants endpoint={value} scale={(variant) => setAsked({ what: "scale", variant })} />
      <Tabs names={TABS} chosen={tab} choose={(one) => choose({ tab: one.toLowerCase() })} />
      {tab === "Test" ? <Tester endpoint={name} variants={value.variants.map((variant) => variant.name)} /> : null}
      {tab === "Traffic" ? <Traffic name={name} variants={value.variants.map((variant) => variant.name)} /> : null}
      {tab === "Logs" ? <EndpointLogs endpoint={value} /> : null}
      {tab === "Evaluation" ? <Reports endpoint={name} /> : null}
      {asked?.what === "delete" ? <DeleteDialog endpoint={value} close={close} /> : null}
      {asked?.what === "update" ? <UpdateDialog endpoint={value} close={close} done={done} /> : null}
      {asked?.what === "scale" ? <ScaleDialog endpoint={name} variant={asked.variant} close={close} done={done} /> : null}
    </>
  );
}

function Variants({ endpoint, scale }: { endpoint: Endpoint; scale: (variant: Variant) => void }) {
  const weights = endpoint.variants.reduce((sum, variant) => sum + variant.weight, 0);
  return (
    <table>
      <thead><tr><th scope="col">Variant</th><th scope="col">Model</th><th scope="col">Instances</th><th scope="col">Weight</th><th scope="col">Share of requests</th><th scope="col"><span class="visually-hidden">Scale</span></th></tr></thead>
      <tbody>{endpoint.variants.map((variant) => (
        <tr key={variant.name}><td>{variant.name}</td><td>{variant.model}</td><td>{variant.instances} of {variant.wanted} × {variant.instanceType}</td><td class="number">{variant.weight}</td>
          <td class="number">{weights ? percent(variant.weight / weights) : "–"}</td>
          <td><button class="quiet" aria-label={`Scale ${variant.name}`} onClick={() => scale(variant)}>Scale</button></td></tr>
      ))}</tbody>
    </table>
  );
}

function EndpointLogs({ endpoint }: { endpoint: Endpoint }) {
  const variant = query.value.get("variant") ?? "";
  return (
    <>
      {endpoint.variants.length > 1 ? <label>Variant <select value={variant} onChange={(event) => choose({ variant: event.currentTarget.value })}>
        <option value="">all</option>{endpoint.variants.map((one) => <option key={one.name}>{one.name}</option>)}
      </select></label> : null}
      <LogView key={variant} group={endpointGroup(endpoint.name)} prefix={variant ? `${variant}/` : ""} following name={endpoint.name} />
    </>
  );
}

function DeleteDialog({ endpoint, close }: { endpoint: Endpoint; close: () => void }) {
  const [typed, setTyped] = useState("");
  const [all, setAll] = useState(false);
  return (
    <Dialog title={`Delete ${endpoint.name}?`} verb="Delete" ready={typed === endpoint.name} close={close} act={async () => { await deleteEndpoint(endpoint, all); go("/console/endpoints"); }}>
      <p>Requests to it fail from then on.</p>
      <label>Its name, to be sure <input value={typed} spellcheck={false} autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} /></label>
      <label class="choice"><input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> with its configuration and models</label>
    </Dialog>
  );
}

function UpdateDialog({ endpoint, close, done }: { endpoint: Endpoint; close: () => void; done: () => void }) {
  const configs = useLoaded(listConfigs, []);
  const [chosen, setChosen] = useState("");
  const others = (configs.value ?? []).filter((config) => config !== endpoint.config);
  return (
    <Dialog title={`Update ${endpoint.name}`} verb="Update" ready={chosen !== ""} close={close} act={async () => { await updateEndpoint(endpoint.name, chosen); done(); }}>
      <p>Its new instances come up beside the old ones, and take over in one step. It has the configuration {endpoint.config}.</p>
      <Problem of={configs.problem} />
      {configs.value && others.length === 0 ? <p>There is no other endpoint configuration: CreateEndpointConfig makes one.</p>
        : <label>Configuration <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}><option value="">choose …</option>{others.map((config) => <option key={config}>{config}</option>)}</select></label>}
    </Dialog>
  );
}

function ScaleDialog({ endpoint, variant, close, done }: { endpoint: string; variant: Variant; close: () => void; done: () => void }) {
  const [count, setCount] = useState(variant.wanted), [weight, setWeight] = useState(variant.weight);
  const ready = Number.isInteger(count) && count >= 1 && weight >= 0 && (count !== variant.wanted || weight !== variant.weight);
  return (
    <Dialog title={`Scale ${variant.name}`} verb="Change" ready={ready} close={close} act={async () => { await changeVariant(endpoint, variant.name, count, weight); done(); }}>
      <label>Instances <input type="number" min="1" max="1000" value={count} onInput={(event) => setCount(event.currentTarget.valueAsNumber)} /></label>
      <label>Weight <input type="number" min="0" step="any" value={weight} onInput={(event) => setWeight(event.currentTarget.valueAsNumber)} /></label>
    </Dialog>
  );
}
