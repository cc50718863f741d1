// How the server does: its answer to monitors, and the figures that Prometheus reads.
import { useLoaded } from "../live";
import { Command, Problem } from "../parts/pieces";

interface Figure {
  name: string;
  value: string;
  help: string;
}

async function read(): Promise<{ healthy: boolean; figures: Figure[] }> {
  const [health, metrics] = await Promise.all([fetch("/healthz"), fetch("/metrics")]);
  const help = new Map<string, string>(), figures: Figure[] = [];
  for (const line of (await metrics.text()).split("\n")) {
    const told = /^# HELP (\S+) (.*)$/.exec(line);
    if (told) help.set(told[1]!, told[2]!);
    const sample = /^([a-zA-Z_:][^ ]*) (\S+)$/.exec(line);
    if (sample && !sample[1]!.includes("_bucket{")) figures.push({ name: sample[1]!, value: sample[2]!, help: help.get(sample[1]!.replace(/\{.*|_(sum|count)$/g, "")) ?? "" });
  }
  return { healthy: health.ok, figures };
}

export function HealthPage() {
  const state = useLoaded(read, [], 2);
  return (
    <>
      <h1>Health</h1>
      <Problem of={state.problem} />
      {state.value ? <p role="status">{state.value.healthy ? "✓ The server serves." : "◐ The server is starting."}</p> : null}
      <p>What the machine has for jobs, tried out:</p>
      <Command text="headrace doctor" />
      {state.value ? <div class="scroll" tabIndex={0} role="region" aria-label="Figures"><table>
        <caption>Figures of <a href="/metrics">/metrics</a></caption>
        <thead><tr><th scope="col">Figure</th><th scope="col">Value</th><th scope="col">What it counts</th></tr></thead>
        <tbody>{state.value.figures.map((figure) => <tr key={figure.name}><td><code>{figure.name}</code></td><td class="number">{figure.value}</td><td>{figure.help}</td></tr>)}</tbody>
      </table></div> : null}
    </>
  );
}
