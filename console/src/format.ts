// Values as people read them: times in the zone that the page's head says, numbers with their units.
import { signal } from "@preact/signals";

export type Zone = "local" | "UTC";
export const zone = signal<Zone>(localStorage.getItem("zone") === "UTC" ? "UTC" : "local");
zone.subscribe((name) => localStorage.setItem("zone", name));

export const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const inUtc = (seconds: number) => utc(seconds).replace("T", " ").replace("Z", " UTC");
const inLocal = (seconds: number) => new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const time = (seconds: number) => (zone.value === "UTC" ? inUtc(seconds) : inLocal(seconds));
export const otherTime = (seconds: number) => (zone.value === "UTC" ? `${inLocal(seconds)} (local)` : inUtc(seconds));

// To the millisecond: of log lines and samples. Local times are written like the others, so that they are as wide.
export function preciseTime(milliseconds: number): string {
  const shift = zone.value === "UTC" ? 0 : new Date(milliseconds).getTimezoneOffset() * 60_000;
  return new Date(milliseconds - shift).toISOString().slice(0, 23).replace("T", " ");
}

// The moment that somebody has typed: "2026-11-30 14:05:30", or only "14:05", then at `near` or in the day behind it. Milliseconds.
export function timeIn(typed: string, near: number): number | undefined {
  const [, day, clock] = /^(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)$/.exec(typed) ?? [];
  if (!clock) return undefined;
  const moment = Date.parse(`${day ?? preciseTime(near).slice(0, 10)}T${clock}${zone.value === "UTC" ? "Z" : ""}`);
  return isNaN(moment) ? undefined : day || moment >= near - 3_600_000 ? moment : moment + 86_400_000;
}

export function duration(seconds: number): string {
  if (seconds < 0) return "–";
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds), hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${unit && count < 100 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export const number = (value: number) =>
  value === 0 ? "0" : Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6 ? value.toExponential(3) : String(+value.toPrecision(5));
