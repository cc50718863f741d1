// Every view is an address: the place is the path, what is chosen in it the query.
import { computed, effect, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

const here = () => ({ path: location.pathname, query: location.search, hash: location.hash });
export const place = signal(here());
addEventListener("popstate", () => { place.value = here(); });

// What an address names, as its parts behind /console; one that is malformed stays as it is.
const decoded = (part: string) => {
  try { return decodeURIComponent(part); } catch { return part; }
};
export const parts = computed(() => place.value.path.split("/").slice(2).map(decoded));
effect(() => { document.title = [...parts.value.slice(0, 2).reverse(), "Headrace"].filter(Boolean).join(" · "); });

export const query = computed(() => new URLSearchParams(place.value.query));

export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  place.value = here();
  if (replace) return;
  scrollTo(0, 0);
  document.getElementById("content")?.focus({ preventScroll: true }); // whoever goes by keyboard goes on from there
}

// Changes the query of this place: null removes a key. Filters and tabs replace, so that "back" leaves the place.
export function choose(changes: Record<string, string | null>): void {
  const next = new URLSearchParams(place.value.query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  go(place.value.path + (text ? `?${text}` : ""), true);
}

export const address = (...parts: string[]) => "/console/" + parts.map(encodeURIComponent).join("/");

export function Link({ to, children, ...rest }: { to: string; children: ComponentChildren; class?: string; "aria-current"?: "page" | undefined }) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} {...rest}>{children}</a>;
}
