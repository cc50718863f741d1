// Requests to the server. Everything a page asks goes through here; the server signs it with the session's credentials.
import { signal } from "@preact/signals";

export type Json = Record<string, unknown>;

export class ServiceError extends Error {
  constructor(readonly code: string, message: string, readonly status: number) {
    super(message);
  }
}

// Counts the answers that said "no session": whoever shows pages asks for a sign-in then.
export const signedOut = signal(0);

const PAGE_HEADER = { "X-Headrace-Console": "1" };

async function errorOf(response: Response): Promise<ServiceError> {
  const text = await response.text();
  let code = `HTTP ${response.status}`, message = text.slice(0, 500);
  try {
    const body = JSON.parse(text) as Json;
    code = String(body.__type ?? body.Code ?? code).split("#").pop() ?? code;
    message = String(body.message ?? body.Message ?? message);
  } catch {
    code = /<Code>([^<]*)</.exec(text)?.[1] ?? code;
    message = /<Message>([^<]*)</.exec(text)?.[1] ?? message;
  }
  if (response.status === 401) signedOut.value += 1;
  return new ServiceError(code, message, response.status);
}

export async function request(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, body, headers: { ...PAGE_HEADER, ...headers }, credentials: "same-origin" });
  } catch {
    throw new ServiceError("Unreachable", "The server does not answer.", 0);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

// An operation of a JSON service: "sagemaker", "logs", "monitoring" or the console's own, "headrace".
export async function call<Reply = Json>(service: string, operation: string, input: Json = {}): Promise<Reply> {
  const response = await request("POST", `/console/api/${service}/${operation}`, JSON.stringify(input), { "Content-Type": "application/json" });
  return (await response.json()) as Reply;
}

// All pages of a listing, up to `most` rows.
export async function callAll<Row>(service: string, operation: string, input: Json, member: string, most = 10_000): Promise<Row[]> {
  const rows: Row[] = [];
  let token: unknown;
  do {
    const page: Json = await call(service, operation, token ? { ...input, NextToken: token } : input);
    rows.push(...((page[member] as Row[] | undefined) ?? []));
    token = page.NextToken;
  } while (token && rows.length < most);
  return rows;
}
