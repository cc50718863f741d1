// All training jobs: filters, sorting and pages are the server's, so ten thousand jobs cost one page at a time.
import { useEffect, useState } from "preact/hooks";
import { isOver, listJobs, type JobFilter, type JobRow } from "../data/jobs";
import { duration } from "../format";
import { useLoaded } from "../live";
import { Empty, Problem, Status, Time } from "../parts/pieces";
import { address, choose, go, Link, query } from "../router";

const SORTS = { name: "Name", status: "Status", created: "CreationTime" } as const;
type SortKey = keyof typeof SORTS;

function filterOf(): JobFilter {
  const sort = (query.value.get("sort") ?? "-created");
  const key = sort.replace(/^-/, "") as SortKey;
  return { nameContains: query.value.get("name") ?? undefined, status: query.value.get("status") ?? undefined, sortBy: SORTS[key] ?? "CreationTime", descending: sort.startsWith("-") };
}

function SortHeader({ by, title }: { by: SortKey; title: string }) {
  const sort = query.value.get("sort") ?? "-created";
  const mine = sort.replace(/^-/, "") === by;
  const descending = mine && sort.startsWith("-");
  return (
    <th scope="col" aria-sort={mine ? (descending ? "descending" : "ascending") : "none"}>
      <button class="sort" onClick={() => choose({ sort: mine && !descending ? `-${by}` : by })}>{title} {mine ? (descending ? "▼" : "▲") : ""}</button>
    </th>
  );
}

export function JobsPage() {
  const filter = filterOf();
  const key = JSON.stringify(filter);
  const first = useLoaded(() => listJobs(filter), [key], (page) => (page?.rows.some((row) => !isOver(row)) ? 1 : 3));
  const [more, setMore] = useState<{ rows: JobRow[]; next?: string }>();
  const [chosen, setChosen] = useState<string[]>([]);
  const [failure, setFailure] = useState<Error>();
  useEffect(() => setMore(undefined), [key]);
  const rows = [...(first.value?.rows ?? []), ...(more?.rows ?? [])];
  const next = more ? more.next : first.value?.next;
  const loadMore = async () => {
    try {
      const page = await listJobs(filter, next);
      setMore({ rows: [...(more?.rows ?? []), ...page.rows], next: page.next });
    } catch (problem) {
      setFailure(problem as Error);
    }
  };
  const mark = (name: string, on: boolean) => setChosen(on ? [...chosen, name] : chosen.filter((other) => other !== name));
  const filtered = filter.nameContains || filter.status;
  return (
    <>
      <h1>Training jobs</h1>
      <div class="tools">
        <label>Name contains <input type="search" value={filter.nameContains ?? ""} onInput={(event) => choose({ name: event.currentTarget.value })} /></label>
        <label>Status <select value={filter.status ?? ""} onChange={(event) => choose({ status: event.currentTarget.value })}>
          <option value="">any</option>
          {["InProgress", "Completed", "Failed", "Stopping", "Stopped"].map((status) => <option key={status}>{status}</option>)}
        </select></label>
        <button disabled={chosen.length < 2} onClick={() => go(`/console/compare?jobs=${chosen.map(encodeURIComponent).join(",")}`)}>Compare {chosen.length || ""}</button>
        <Link to="/console/create-job" class="button">Create</Link>
      </div>
      <Problem of={first.problem ?? failure} />
      {first.value && rows.length === 0
        ? filtered ? <Empty>No job matches.</Empty> : <Empty command={"headrace train examples/cifar10/keras_cifar10.cpp --input train=data/train \\\n  --input validation=data/validation --input eval=data/eval"}>No training job yet. From a shell:</Empty>
        : <div class="scroll" tabIndex={0} role="region" aria-label="Training jobs"><table>
          <thead><tr><th scope="col"><span class="visually-hidden">Compare</span></th><SortHeader by="name" title="Name" /><SortHeader by="status" title="Status" /><SortHeader by="created" title="Created" /><th scope="col">Duration</th></tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <td><input type="checkbox" aria-label={`Compare ${row.name}`} checked={chosen.includes(row.name)} onChange={(event) => mark(row.name, event.currentTarget.checked)} /></td>
                <td><Link to={address("jobs", row.name)}>{row.name}</Link></td>
                <td><Status of={row.status} />{isOver(row) ? null : <small> {row.phase}</small>}</td>
                <td><Time at={row.created} /></td>
                <td class="number">{duration((row.ended ?? Date.now() / 1000) - row.created)}</td>
              </tr>
            ))}
          </tbody>
        </table></div>}
      {next ? <button onClick={() => void loadMore()}>Next jobs</button> : null}
    </>
  );
}
