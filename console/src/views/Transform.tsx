// One batch transform job: what it does, what its instances used, its log, where its answers are.
import { useState } from "preact/hooks";
import { isOver } from "../data/jobs";
import { hostMetrics, readCurves } from "../data/metrics";
import { describeTransform, stopTransform, type Transform } from "../data/transforms";
import { duration } from "../format";
import { useLoaded } from "../live";
import { HostCharts } from "../parts/HostCharts";
import { LogView } from "../parts/LogView";
import { Facts, Problem, Status, StorageLink, Tabs, Time } from "../parts/pieces";
import { choose, Link, query } from "../router";

const GROUP = "/aws/sagemaker/TransformJobs";
const TABS = ["Configuration", "Logs", "Instances"];

export function TransformPage({ name }: { name: string }) {
  const job = useLoaded(() => describeTransform(name), [name], (value) => (value && isOver(value) ? 0 : 1));
  const [failure, setFailure] = useState<Error>();
  const tab = TABS.find((one) => one.toLowerCase() === query.value.get("tab")) ?? "Configuration";
  if (!job.value) return <><h1>{name}</h1><Problem of={job.problem} /></>;
  const value = job.value, over = isOver(value);
  const stop = async () => {
    if (!confirm(`Stop ${name}? What it has answered so far is kept.`)) return;
    try { await stopTransform(name); job.reload(); } catch (problem) { setFailure(problem as Error); }
  };
  return (
    <>
      <h1>{name}</h1>
      <p class="tools">
        <Status of={value.status} />
        {over ? null : <button onClick={() => void stop()}>Stop</button>}
        <Link to={`/console/create-transform?like=${encodeURIComponent(name)}`} class="button">Create like this</Link>
      </p>
      <Problem of={failure ?? job.problem} />
      {value.failure ? <section class="failure" aria-label="Failure"><h2>Why it failed</h2><pre tabIndex={0}>{value.failure}</pre></section> : null}
      <Tabs names={TABS} chosen={tab} choose={(one) => choose({ tab: one.toLowerCase() })} />
      {tab === "Configuration" ? <Configuration job={value} /> : null}
      {tab === "Logs" ? <LogView group={GROUP} prefix={`${name}/`} following={!over} name={name} /> : null}
      {tab === "Instances" ? <HostCharts job={name} over={over} every={5} read={async () => readCurves(await hostMetrics(GROUP, name), { columns: 400 })} /> : null}
    </>
  );
}

function Configuration({ job }: { job: Transform }) {
  return <Facts rows={[
    ["Created", <Time at={job.created} />], ["Started", <Time at={job.started} />], ["Ended", <Time at={job.ended} />], ["Took", duration((job.ended ?? Date.now() / 1000) - job.created)],
    ["Model", job.model], ["Instances", `${job.instanceCount} × ${job.instanceType}`],
    ["Input", <StorageLink uri={job.input} />], ["Content type", job.contentType || "–"], ["Split", job.split], ["Batches", job.strategy || "–"],
    ["Requests at once", job.concurrent ?? "–"], ["Largest request", job.payload === undefined ? "–" : `${job.payload} MB`],
    ["Output", <StorageLink uri={job.output} />], ["Answers as", job.accept || "–"], ["Assembled with", job.assemble], ["ARN", <code>{job.arn}</code>],
  ]} />;
}
