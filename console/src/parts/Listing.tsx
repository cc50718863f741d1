// A list of jobs or endpoints: filters, sorting and pages are the service's, so that ten thousand rows cost one page at a time. By a
// column that the service cannot sort by, all rows are read and sorted here.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { listAll, MOST_ROWS, type Filter, type Page } from "../data/listing";
import { zone } from "../format";
import { useLoaded } from "../live";
import { choose, query } from "../router";
import { Empty, Problem } from "./pieces";

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  sortBy?: Filter["sortBy"]; // as the service calls it
  value?: (row: Row) => number; // sorted by here
  number?: boolean;
}

interface Listed<Row> {
  title: string;
  columns: Column<Row>[];
  statuses: string[];
  list: (filter: Filter, token?: string) => Promise<Page<Row>>;
  changing: (row: Row) => boolean; // read again soon
  empty: { text: string; command: string };
  tools?: ComponentChildren;
  mark?: (row: Row) => ComponentChildren; // in front of a row
}

// A day of a date field, in the zone that times are shown in.
function dayIn(name: string, days: number): number | undefined {
  const text = query.value.get(name);
  if (!text) return undefined;
  const day = new Date(`${text}T00:00:00${zone.value === "UTC" ? "Z" : ""}`);
  return isNaN(day.getTime()) ? undefined : day.getTime() / 1000 + days * 86_400;
}

export function Listing<Row extends { name: string; created: number }>({ title, columns, statuses, list, changing, empty, tools, mark }: Listed<Row>) {
  const sort = query.value.get("sort") ?? "-created";
  const descending = sort.startsWith("-"), column = columns.find((one) => one.key === sort.replace(/^-/, ""));
  const filter: Filter = {
    nameContains: query.value.get("name") ?? undefined, status: query.value.get("status") ?? undefined, from: dayIn("from", 0), to: dayIn("to", 1),
    sortBy: column?.sortBy ?? "CreationTime", descending,
  };
  const here = column?.value;
  const key = JSON.stringify(filter) + (here ? sort : "");
  const first = useLoaded(() => (here ? listAll(list, filter) : list(filter)), [key], (page) => (here ? 10 : page?.rows.some(changing) ? 1 : 3));
  const [more, setMore] = useState<Page<Row>>();
  const [failure, setFailure] = useState<Error>();
  useEffect(() => setMore(undefined), [key]);
  const known = new Set<string>();
  const rows = [...(first.value?.rows ?? []), ...(more?.rows ?? [])].filter((row) => !known.has(row.name) && known.add(row.name));
  if (here) rows.sort((a, b) => (here(a) - here(b)) * (descending ? -1 : 1));
  const next = more ? more.next : first.value?.next;
  const loadMore = async () => {
    try {
      const page = await list(filter, next);
      setMore({ rows: [...(more?.rows ?? []), ...page.rows], next: page.next });
    } catch (problem) {
      setFailure(problem as Error);
    }
  };
  const filtered = ["name", "status", "from", "to"].some((name) => query.value.has(name));
  return (
    <>
      <h1>{title}</h1>
      <div class="tools">
        <label>Name contains <input type="search" pattern="[a-zA-Z0-9\-]*" value={filter.nameContains ?? ""} onInput={(event) => choose({ name: event.currentTarget.value.replace(/[^a-zA-Z0-9-]/g, "") })} /></label>
        <label>Status <select value={filter.status ?? ""} onChange={(event) => choose({ status: event.currentTarget.value })}>
          <option value="">any</option>{statuses.map((status) => <option key={status}>{status}</option>)}
        </select></label>
        <label>From <input type="date" value={query.value.get("from") ?? ""} onInput={(event) => choose({ from: event.currentTarget.value })} /></label>
        <label>To <input type="date" value={query.value.get("to") ?? ""} onInput={(event) => choose({ to: event.currentTarget.value })} /></label>
        {filtered ? <button class="quiet" onClick={() => choose({ name: null, status: null, from: null, to: null })}>All</button> : null}
        {tools}
      </div>
      <Problem of={first.problem ?? failure} />
      {first.value && rows.length === 0
        ? filtered ? <Empty>None matches.</Empty> : <Empty command={empty.command}>{empty.text}</Empty>
        : <div class="scroll" tabIndex={0} role="region" aria-label={title}><table>
          <thead><tr>{mark ? <th scope="col"><span class="visually-hidden">Choose</span></th> : null}{columns.map((one) => <SortHeader key={one.key} by={one.key} title={one.title} sort={sort} />)}</tr></thead>
          <tbody>{rows.map((row) => (
            <tr key={row.name}>{mark ? <td>{mark(row)}</td> : null}{columns.map((one) => <td key={one.key} class={one.number ? "number" : undefined}>{one.cell(row)}</td>)}</tr>
          ))}</tbody>
        </table></div>}
      {next ? here ? <p>Sorted among the newest {MOST_ROWS.toLocaleString()}.</p> : <button onClick={() => void loadMore()}>Next {rows.length ? "rows" : ""}</button> : null}
    </>
  );
}

function SortHeader({ by, title, sort }: { by: string; title: string; sort: string }) {
  const mine = sort.replace(/^-/, "") === by, descending = mine && sort.startsWith("-");
  return (
    <th scope="col" aria-sort={mine ? (descending ? "descending" : "ascending") : "none"}>
      <button class="sort" onClick={() => choose({ sort: mine && !descending ? `-${by}` : by })}>{title} {mine ? (descending ? "▼" : "▲") : ""}</button>
    </th>
  );
}
