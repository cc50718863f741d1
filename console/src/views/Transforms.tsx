import { listTransforms } from "../data/endpoints";
import { duration } from "../format";
import { useLoaded } from "../live";
import { Empty, Problem, Status, Time } from "../parts/pieces";

export function TransformsPage() {
  const rows = useLoaded(listTransforms, [], 2);
  return (
    <>
      <h1>Batch transform jobs</h1>
      <Problem of={rows.problem} />
      {rows.value?.length === 0 ? <Empty>None so far: estimator.transformer(…) of a SageMaker SDK makes one.</Empty> : null}
      {rows.value?.length ? <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Created</th><th scope="col">Duration</th></tr></thead>
        <tbody>{rows.value.map((row) => <tr key={row.name}><td>{row.name}</td><td><Status of={row.status} /></td><td><Time at={row.created} /></td><td class="number">{duration((row.ended ?? Date.now() / 1000) - row.created)}</td></tr>)}</tbody>
      </table> : null}
    </>
  );
}
