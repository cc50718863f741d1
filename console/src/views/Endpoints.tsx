import { listEndpoints } from "../data/endpoints";
import { useLoaded } from "../live";
import { Empty, Problem, Status, Time } from "../parts/pieces";
import { address, Link } from "../router";

export function EndpointsPage() {
  const page = useLoaded(() => listEndpoints(), [], 2);
  const rows = page.value?.rows ?? [];
  return (
    <>
      <h1>Endpoints</h1>
      <Problem of={page.problem} />
      {page.value && rows.length === 0 ? <Empty command="headrace deploy JOB --name my-endpoint">No endpoint. A model of a training job gets one by:</Empty> : null}
      {rows.length ? <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Created</th></tr></thead>
        <tbody>{rows.map((row) => <tr key={row.name}><td><Link to={address("endpoints", row.name)}>{row.name}</Link></td><td><Status of={row.status} /></td><td><Time at={row.created} /></td></tr>)}</tbody>
      </table> : null}
      {page.value?.next ? <p>The newest 100 are shown.</p> : null}
    </>
  );
}
