// What is around every view: where one can go, who is signed in, the theme.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { zone } from "../format";
import { Link, place } from "../router";
import { signOut, user } from "../session";

const ROOMS = [["jobs", "Training jobs"], ["endpoints", "Endpoints"], ["transforms", "Batch transform"], ["evaluations", "Evaluations"], ["storage", "Storage"], ["health", "Health"]] as const;

const theme = signal(localStorage.getItem("theme") ?? "");
theme.subscribe((name) => {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
});

function ThemeSwitch() {
  const next = { "": "dark", dark: "light", light: "" }[theme.value] ?? "";
  const choose = () => { theme.value = next; localStorage.setItem("theme", next); };
  return <button class="quiet" onClick={choose}>Theme: {theme.value || "system"}</button>;
}

const ZoneSwitch = () => <button class="quiet" onClick={() => { zone.value = zone.value === "UTC" ? "local" : "UTC"; }}>Times: {zone.value}</button>;

export function Frame({ children }: { children: ComponentChildren }) {
  const room = place.value.path.split("/")[2] || "jobs";
  return (
    <>
      <a class="skip" href="#content">Skip to content</a>
      <header>
        <Link to="/console/jobs" class="brand">Headrace</Link>
        <nav aria-label="Rooms">
          {ROOMS.map(([name, title]) => <Link key={name} to={`/console/${name}`} aria-current={room === name ? "page" : undefined}>{title}</Link>)}
        </nav>
        <span class="who">{user.value?.name} <small>{user.value?.account}</small></span>
        <ZoneSwitch />
        <ThemeSwitch />
        <button class="quiet" onClick={() => void signOut()}>Sign out</button>
      </header>
      <main id="content" tabIndex={-1}>{children}</main>
    </>
  );
}
