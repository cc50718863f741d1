// Who is signed in.
import { signal } from "@preact/signals";
import { request, ServiceError, signedOut } from "./wire";

export interface User {
  name: string;
  account: string;
}

// undefined: not known yet; null: nobody.
export const user = signal<User | null | undefined>(undefined);
export const ended = signal(false); // a session that was there is no more

interface WireUser {
  User: string;
  AccountId: string;
}

async function take(response: Response): Promise<void> {
  const wire = (await response.json()) as WireUser;
  user.value = { name: wire.User, account: wire.AccountId };
  ended.value = false;
}

function takeTicket(): string | null {
  const ticket = /^#ticket=([0-9a-f]+)$/.exec(location.hash)?.[1] ?? null;
  if (ticket) history.replaceState(null, "", location.pathname);
  return ticket;
}

export async function start(): Promise<void> {
  signedOut.subscribe((count) => {
    if (count > 0 && user.value) {
      user.value = null;
      ended.value = true;
    }
  });
  const ticket = takeTicket();
  try {
    await take(ticket ? await post({ Ticket: ticket }) : await request("GET", "/console/session"));
  } catch (problem) {
    user.value = null;
    if (ticket) throw problem;
    if (!(problem instanceof ServiceError) || problem.status !== 401) throw problem;
  }
}

const post = (credentials: Record<string, string>) =>
  request("POST", "/console/session", JSON.stringify(credentials), { "Content-Type": "application/json" });

export async function signIn(accessKeyId: string, secretAccessKey: string): Promise<void> {
  await take(await post({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey }));
}

export async function signOut(): Promise<void> {
  await request("DELETE", "/console/session");
  user.value = null;
}
