// A report of `headrace evaluate`: the confusion matrix, by count or by share of the true class, and the figures of each class.
import { useState } from "preact/hooks";
import type { Report } from "../data/reports";
import { number } from "../format";
import { Facts } from "./pieces";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export function Confusion({ report }: { report: Report }) {
  const [shares, setShares] = useState(false);
  const totals = report.matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  return (
    <section aria-label="Evaluation">
      <Facts rows={[["Accuracy", percent(report.accuracy)], ["Images", report.images.toLocaleString()], ["Of", report.subject], ["Data", report.data]]} />
      <label><input type="checkbox" checked={shares} onChange={(event) => setShares(event.currentTarget.checked)} /> shares of the true class</label>
      <div class="scroll" tabIndex={0} role="region" aria-label="Confusion matrix"><table class="confusion">
        <caption>Rows: true classes. Columns: predicted ones.</caption>
        <thead><tr><th scope="col">True</th>{report.classes.map((one) => <th scope="col" key={one.name}>{one.name}</th>)}</tr></thead>
        <tbody>{report.matrix.map((row, i) => (
          <tr key={i}><th scope="row">{report.classes[i]?.name}</th>
            {row.map((count, j) => {
              const share = count / Math.max(1, totals[i]!);
              // Half of the accent at most: the figure stays readable in both themes.
              return <td key={j} class="number" style={{ background: `color-mix(in srgb, var(--accent) ${Math.round(50 * share)}%, transparent)` }}>{shares ? percent(share) : count}</td>;
            })}</tr>
        ))}</tbody>
      </table></div>
      <table>
        <thead><tr><th scope="col">Class</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th><th scope="col">Images</th></tr></thead>
        <tbody>{report.classes.map((one) => (
          <tr key={one.name}><td>{one.name}</td><td class="number">{number(one.precision)}</td><td class="number">{number(one.recall)}</td><td class="number">{number(one.f1)}</td><td class="number">{one.support}</td></tr>
        ))}</tbody>
      </table>
    </section>
  );
}
