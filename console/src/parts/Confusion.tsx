// A report of `headrace evaluate`: the confusion matrix, by count or by share of the true class, the figures of each class, and the images
// behind a cell of the matrix where they lie in a bucket.
import { useState } from "preact/hooks";
import { pictureOf } from "../data/examples";
import { dataObject, imagesBehind, type Report } from "../data/reports";
import { number, percent } from "../format";
import { useLoaded } from "../live";
import { address, choose, Link, query } from "../router";
import { ExamplePicture } from "./Examples";
import { Facts, Problem, StorageLink } from "./pieces";

const MOST_IMAGES = 48;

export const Subject = ({ of }: { of: Report }) => (of.endpoint ? <Link to={address("endpoints", of.endpoint)}>{of.endpoint}</Link> : <>{of.model}</>);

// The cell that the address names.
function chosenCell(report: Report): { truth: number; predicted: number } | undefined {
  const [truth = NaN, predicted = NaN] = (query.value.get("cell") ?? "").split("-").map(Number);
  return report.matrix[truth]?.[predicted] === undefined ? undefined : { truth, predicted };
}

export function Confusion({ report, bucket, reportKey }: { report: Report; bucket: string; reportKey: string }) {
  const [shares, setShares] = useState(false);
  const totals = report.matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const chosen = chosenCell(report), images = dataObject(report) !== undefined;
  const cell = (count: number, i: number, j: number) => {
    const told = shares ? percent(count / Math.max(1, totals[i]!)) : count;
    if (!images || count === 0) return told;
    const label = `${count} of ${report.classes[i]?.name} taken for ${report.classes[j]?.name}: show`;
    return <button class="link" aria-label={label} aria-pressed={chosen?.truth === i && chosen.predicted === j} onClick={() => choose({ cell: `${i}-${j}` })}>{told}</button>;
  };
  return (
    <section aria-label="Evaluation">
      <Facts rows={[["Accuracy", percent(report.accuracy)], ["Images", report.images.toLocaleString()], ["Of", <Subject of={report} />], ["Data", <StorageLink uri={report.data} />]]} />
      <label><input type="checkbox" checked={shares} onChange={(event) => setShares(event.currentTarget.checked)} /> shares of the true class</label>
      <div class="scroll" tabIndex={0} role="region" aria-label="Confusion matrix"><table class="confusion">
        <caption>Rows: true classes. Columns: predicted ones.{images ? " A figure shows its images." : ""}</caption>
        <thead><tr><th scope="col">True</th>{report.classes.map((one) => <th scope="col" key={one.name}>{one.name}</th>)}</tr></thead>
        <tbody>{report.matrix.map((row, i) => (
          <tr key={i}><th scope="row">{report.classes[i]?.name}</th>
            {row.map((count, j) => {
              const share = count / Math.max(1, totals[i]!);
              // A part of the accent: the figure stays readable in both themes.
              return <td key={j} class="number" style={{ background: `color-mix(in srgb, var(--accent) ${Math.round(35 * share)}%, transparent)` }}>{cell(count, i, j)}</td>;
            })}</tr>
        ))}</tbody>
      </table></div>
      {chosen ? <Images key={query.value.get("cell")} report={report} bucket={bucket} reportKey={reportKey} {...chosen} /> : null}
      <table>
        <thead><tr><th scope="col">Class</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th><th scope="col">Images</th></tr></thead>
        <tbody>{report.classes.map((one) => (
          <tr key={one.name}><td>{one.name}</td><td class="number">{number(one.precision)}</td><td class="number">{number(one.recall)}</td><td class="number">{number(one.f1)}</td><td class="number">{one.support}</td></tr>
        ))}</tbody>
      </table>
    </section>
  );
}

function Images({ report, bucket, reportKey, truth, predicted }: { report: Report; bucket: string; reportKey: string; truth: number; predicted: number }) {
  const found = useLoaded(() => imagesBehind(report, bucket, reportKey, truth, predicted, MOST_IMAGES), []);
  const count = report.matrix[truth]![predicted]!;
  return (
    <section aria-label="Images">
      <h2>{report.classes[truth]!.name} taken for {report.classes[predicted]!.name} <button class="quiet" onClick={() => choose({ cell: null })}>Close</button></h2>
      <Problem of={found.problem} />
      <ul class="images">{(found.value ?? []).map((one) => {
        const picture = pictureOf(one.bytes), name = `record ${one.number}`;
        return <li key={one.number}>{picture ? <ExamplePicture picture={picture} name={name} /> : null}<small>{name}<br />{number(one.score)}</small></li>;
      })}</ul>
      {count > MOST_IMAGES ? <p>The first {MOST_IMAGES} of {count.toLocaleString()}.</p> : null}
    </section>
  );
}
