// All training jobs.
import { useState } from "preact/hooks";
import { isOver, listJobs, type JobRow } from "../data/jobs";
import { duration } from "../format";
import { Listing, type Column } from "../parts/Listing";
import { Status, Time } from "../parts/pieces";
import { address, go, Link } from "../router";

const took = (row: JobRow) => (row.ended ?? Date.now() / 1000) - row.created;

const COLUMNS: Column<JobRow>[] = [
  { key: "name", title: "Name", sortBy: "Name", cell: (row) => <Link to={address("jobs", row.name)}>{row.name}</Link> },
  { key: "status", title: "Status", sortBy: "Status", cell: (row) => <><Status of={row.status} />{isOver(row) ? null : <small> {row.phase}</small>}</> },
  { key: "created", title: "Created", sortBy: "CreationTime", cell: (row) => <Time at={row.created} /> },
  { key: "duration", title: "Duration", value: took, number: true, cell: (row) => duration(took(row)) },
];

const FIRST_JOB = "headrace train examples/cifar10/keras_cifar10.cpp --input train=data/train \\\n  --input validation=data/validation --input eval=data/eval";

export function JobsPage() {
  const [chosen, setChosen] = useState<string[]>([]);
  const mark = (name: string, on: boolean) => setChosen(on ? [...chosen, name] : chosen.filter((other) => other !== name));
  return (
    <Listing title="Training jobs" columns={COLUMNS} list={listJobs} changing={(row) => !isOver(row)} statuses={["InProgress", "Completed", "Failed", "Stopping", "Stopped"]}
      empty={{ text: "No training job yet. From a shell:", command: FIRST_JOB }}
      mark={(row) => <input type="checkbox" aria-label={`Compare ${row.name}`} checked={chosen.includes(row.name)} onChange={(event) => mark(row.name, event.currentTarget.checked)} />}
      tools={<>
        <button disabled={chosen.length < 2} onClick={() => go(`/console/compare?jobs=${chosen.map(encodeURIComponent).join(",")}`)}>Compare {chosen.length || ""}</button>
        <Link to="/console/create-job" class="button">Create</Link>
      </>} />
  );
}
