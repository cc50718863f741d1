// Reports of `headrace evaluate`, found in the buckets by themselves.
import { findReports, readReport, type FoundReport } from "../data/reports";
import { percent } from "../format";
import { useLoaded } from "../live";
import { Confusion, Subject } from "../parts/Confusion";
import { Empty, Problem, Time } from "../parts/pieces";
import { address, Link } from "../router";

export function EvaluationsPage() {
  return <><h1>Evaluations</h1><Reports /></>;
}

// Of one endpoint, or of all there is.
export function Reports({ endpoint }: { endpoint?: string }) {
  const search = useLoaded(findReports, []);
  const rows = (search.value?.found ?? []).filter((row) => endpoint === undefined || row.report.endpoint === endpoint);
  const command = `headrace evaluate --endpoint ${endpoint ?? "ENDPOINT"} --data s3://my-bucket/eval/eval.tfrecords \\\n  --report s3://my-bucket/evaluations/${endpoint ?? "ENDPOINT"}`;
  return (
    <>
      <Problem of={search.problem} />
      {search.value ? null : <p role="status">Looking through the buckets …</p>}
      {search.value && rows.length === 0 ? <Empty command={command}>No report in a bucket. One is made by:</Empty> : null}
      {rows.length ? <Table rows={rows} /> : null}
      {search.value?.partly.length ? <p>Of {search.value.partly.join(", ")} the first 20,000 objects were looked at; reports behind them are shown where they lie, in Storage.</p> : null}
      <p class="tools"><button class="quiet" onClick={search.reload}>Look again</button></p>
    </>
  );
}

function Table({ rows }: { rows: FoundReport[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Reports"><table>
      <thead><tr><th scope="col">Report</th><th scope="col">Of</th><th scope="col">Accuracy</th><th scope="col">Images</th><th scope="col">Data</th><th scope="col">Made</th></tr></thead>
      <tbody>{rows.map(({ bucket, key, modified, report }) => (
        <tr key={`${bucket}/${key}`}>
          <td><Link to={address("evaluations", bucket, ...key.split("/"))}>{bucket}/{key.replace(/\/?report\.json$/, "")}</Link></td><td><Subject of={report} /></td>
          <td class="number">{percent(report.accuracy)}</td><td class="number">{report.images.toLocaleString()}</td><td>{report.data}</td><td><Time at={modified} /></td>
        </tr>
      ))}</tbody>
    </table></div>
  );
}

export function EvaluationPage({ bucket, reportKey }: { bucket: string; reportKey: string }) {
  const report = useLoaded(() => readReport(bucket, reportKey), [bucket, reportKey]);
  return (
    <>
      <h1><Link to="/console/evaluations">Evaluations</Link> / {bucket}/{reportKey.replace(/\/?report\.json$/, "")}</h1>
      <Problem of={report.problem} />
      {report.value ? <Confusion report={report.value} bucket={bucket} reportKey={reportKey} /> : null}
    </>
  );
}
