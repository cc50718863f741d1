// What the services' listings of jobs and endpoints have in common: filters, an order, pages by a cursor.
import { call, type Json } from "../wire";

export interface Filter {
  nameContains?: string;
  status?: string;
  from?: number; // of the creation time, seconds
  to?: number;
  sortBy: "Name" | "CreationTime" | "Status";
  descending: boolean;
}

export interface Page<Row> {
  rows: Row[];
  next?: string;
}

export async function listPage<Wire, Row>(operation: string, member: string, rowOf: (wire: Wire) => Row, filter: Filter, token?: string): Promise<Page<Row>> {
  const page = await call<Json>("sagemaker", operation, {
    MaxResults: 100, SortBy: filter.sortBy, SortOrder: filter.descending ? "Descending" : "Ascending",
    ...(filter.nameContains ? { NameContains: filter.nameContains } : {}),
    ...(filter.status ? { StatusEquals: filter.status } : {}),
    ...(filter.from === undefined ? {} : { CreationTimeAfter: filter.from }),
    ...(filter.to === undefined ? {} : { CreationTimeBefore: filter.to }),
    ...(token ? { NextToken: token } : {}),
  });
  return { rows: ((page[member] as Wire[] | undefined) ?? []).map(rowOf), next: page.NextToken as string | undefined };
}

export const MOST_ROWS = 10_000;

// Every page, for orders that the service has not.
export async function listAll<Row>(list: (filter: Filter, token?: string) => Promise<Page<Row>>, filter: Filter): Promise<Page<Row>> {
  const rows: Row[] = [];
  let next: string | undefined;
  do {
    const page = await list(filter, next);
    rows.push(...page.rows);
    next = page.next;
  } while (next && rows.length < MOST_ROWS);
  return { rows, next };
}
