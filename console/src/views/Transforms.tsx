// All batch transform jobs.
import { listTransforms, type TransformRow } from "../data/transforms";
import { duration } from "../format";
import { Listing, type Column } from "../parts/Listing";
import { Status, Time } from "../parts/pieces";
import { address, Link } from "../router";

const took = (row: TransformRow) => (row.ended ?? Date.now() / 1000) - row.created;

const COLUMNS: Column<TransformRow>[] = [
  { key: "name", title: "Name", sortBy: "Name", cell: (row) => <Link to={address("transforms", row.name)}>{row.name}</Link> },
  { key: "status", title: "Status", sortBy: "Status", cell: (row) => <Status of={row.status} /> },
  { key: "created", title: "Created", sortBy: "CreationTime", cell: (row) => <Time at={row.created} /> },
  { key: "duration", title: "Duration", value: took, number: true, cell: (row) => duration(took(row)) },
];

export function TransformsPage() {
  return (
    <Listing title="Batch transform jobs" columns={COLUMNS} list={listTransforms} changing={(row) => row.ended === undefined} statuses={["InProgress", "Completed", "Failed", "Stopping", "Stopped"]}
      empty={{ text: "None so far. What lies in a bucket goes through a job's model by:", command: "headrace transform JOB s3://my-bucket/pictures --to s3://my-bucket/answers" }}
      tools={<Link to="/console/create-transform" class="button">Create</Link>} />
  );
}
