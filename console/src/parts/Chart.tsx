// Curves over time or steps. Of a curve with more samples than the chart has columns, each column shows its least and greatest
// value as a band and its last as the line. Beside every chart is a table of the same values.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Axis, Curve } from "../data/metrics";
import { number, preciseTime, zone } from "../format";
import { save } from "./pieces";

// Okabe and Ito's colours, told apart with every kind of colour vision; dark enough on white, light enough on black.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#b2568d", "#8a6d00", "#3a8fc4", "#6f6f6f", "#a3461a"];
const DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

const AXIS_TITLES: Record<Axis, string> = { time: "Time", elapsed: "Seconds since start", step: "Step" };
const AXIS_VALUES: Record<Axis, uPlot.Axis["values"]> = {
  time: undefined, elapsed: (_, ticks) => ticks.map((tick) => `${tick} s`), step: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")),
};

export interface Line {
  label: string;
  curve: Curve;
}

// A part of the axis that somebody has dragged over.
export interface Zoom {
  from: number;
  to: number;
}

// The lines of each chart, by its title, in the order in which they come.
export function chartsBy(curves: Curve[], titleOf: (curve: Curve) => string, labelOf: (curve: Curve) => string): [title: string, lines: Line[]][] {
  const charts = new Map<string, Line[]>();
  for (const curve of curves) {
    const title = titleOf(curve), lines = charts.get(title) ?? [];
    lines.push({ label: labelOf(curve), curve });
    charts.set(title, lines);
  }
  return [...charts];
}

type Row<T> = (T | undefined)[];

// One list of x for all lines, and their values spread over it: nothing where a line has no value.
function joined(lines: Line[]) {
  const xs = [...new Set(lines.flatMap(({ curve }) => curve.x))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const spread = <T,>(curve: Curve, values: T[]): Row<T> => {
    const row: Row<T> = new Array(xs.length);
    curve.x.forEach((x, i) => { row[place.get(x)!] = values[i]!; });
    return row;
  };
  return { xs, spread };
}

function align(lines: Line[]): uPlot.AlignedData {
  const { xs, spread } = joined(lines);
  return [xs, ...lines.flatMap(({ curve }) =>
    [curve.smoothed ?? curve.values, curve.minimums ?? curve.values, curve.maximums ?? curve.values].map((values) => spread(curve, values)))];
}

function seriesOf(lines: Line[], axis: Axis): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [axis === "time" ? {} : { label: AXIS_TITLES[axis], value: (_, x) => (x == null ? "–" : number(x)) }];
  const bands: uPlot.Band[] = [];
  lines.forEach((line, i) => {
    const stroke = COLOURS[i % COLOURS.length]!;
    const at = series.length;
    series.push({ label: line.label, stroke, width: 1.5, dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length], spanGaps: true, value: (_, value) => (value == null ? "–" : number(value)) });
    series.push({ show: true, stroke: "transparent", width: 0, spanGaps: true, points: { show: false }, label: `${line.label} least`, class: "hidden" });
    series.push({ show: true, stroke: "transparent", width: 0, spanGaps: true, points: { show: false }, label: `${line.label} greatest`, class: "hidden" });
    bands.push({ series: [at + 2, at + 1], fill: stroke + "33" });
  });
  return { series, bands };
}

const cssColour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart({ title, lines, axis = "time", zoom }: { title: string; lines: Line[]; axis?: Axis; zoom?: (part: Zoom | null) => void }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef<uPlot.AlignedData | null>(null);
  const zoomTo = useRef(zoom);
  zoomTo.current = zoom;
  const [tabled, setTabled] = useState(false);
  const shape = lines.map((line) => line.label).join("\n") + axis + zone.value;
  const data = useMemo(() => align(lines), [lines]);

  useLayoutEffect(() => {
    const element = holder.current!;
    const { series, bands } = seriesOf(lines, axis);
    const grid = { stroke: cssColour("--grid"), width: 1 };
    plot.current = new uPlot({
      width: Math.max(240, element.clientWidth), height: 220, series, bands,
      scales: { x: { time: axis === "time" } },
      tzDate: (seconds) => (zone.value === "UTC" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
      axes: [{ stroke: cssColour("--text"), grid, values: AXIS_VALUES[axis] },
             { stroke: cssColour("--text"), grid, size: 64 }],
      cursor: { drag: { x: true, y: false } },
      hooks: {
        setSelect: [(chart) => {
          const at = (pixel: number) => chart.posToVal(pixel, "x");
          if (chart.select.width > 4) zoomTo.current?.({ from: at(chart.select.left), to: at(chart.select.left + chart.select.width) });
        }],
      },
    }, data, element);
    drawn.current = data;
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(240, element.clientWidth), height: 220 }));
    resize.observe(element);
    element.ondblclick = () => zoomTo.current?.(null);
    return () => { resize.disconnect(); plot.current?.destroy(); plot.current = null; };
  }, [shape]);
  useLayoutEffect(() => { if (drawn.current !== data) plot.current?.setData(data); drawn.current = data; }, [data]);

  const picture = () => holder.current?.querySelector("canvas")?.toBlob((blob) => { if (blob) save(`${title}.png`, blob); });
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <button class="quiet" aria-expanded={tabled} onClick={() => setTabled(!tabled)}>{tabled ? "Hide table" : "Table"}</button>
        <button class="quiet" onClick={picture}>PNG</button>
      </figcaption>
      <div ref={holder} role="img" aria-label={`${title}: ${lines.map(({ label, curve }) => `${label}, ${curve.values.length ? `last ${number(curve.values.at(-1)!)}` : "no value"}`).join("; ")}`} />
      {tabled ? <ValuesTable lines={lines} axis={axis} /> : null}
    </figure>
  );
}

const ROWS = 100; // at a time

// A row for each column of the chart in which something lies, a column for each line and what is known of it.
function ValuesTable({ lines, axis }: { lines: Line[]; axis: Axis }) {
  const { xs, spread } = useMemo(() => joined(lines), [lines]);
  const columns = lines.flatMap(({ label, curve }) => {
    const column = (title: string, values: number[] | undefined) => (values ? [{ title, values: spread(curve, values) }] : []);
    return [...column(label, curve.values), ...column(`${label}, smoothed`, curve.smoothed), ...column(`${label}, least`, curve.minimums), ...column(`${label}, greatest`, curve.maximums)];
  });
  const times = lines.map(({ curve }) => spread(curve, curve.times));
  const [chosen, setFirst] = useState<number>(); // the last rows, until somebody turns the pages
  const first = Math.min(chosen ?? Infinity, Math.max(0, xs.length - ROWS)), end = Math.min(first + ROWS, xs.length);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Values">
      <table>
        <thead><tr>{axis === "time" ? null : <th scope="col">{AXIS_TITLES[axis]}</th>}<th scope="col">Time ({zone.value})</th>
          {columns.map(({ title }) => <th scope="col" key={title}>{title}</th>)}</tr></thead>
        <tbody>
          {xs.slice(first, end).map((x, i) => (
            <tr key={x}>{axis === "time" ? null : <th scope="row" class="number">{number(x)}</th>}
              <td>{preciseTime(1000 * Math.max(...times.map((row) => row[first + i] ?? 0)))}</td>
              {columns.map(({ title, values }) => { const value = values[first + i]; return <td class="number" key={title}>{value === undefined ? "" : number(value)}</td>; })}</tr>
          ))}
        </tbody>
      </table>
      {xs.length > ROWS ? <p class="tools">
        <button disabled={first === 0} onClick={() => setFirst(Math.max(0, first - ROWS))}>Earlier</button>
        <button disabled={end === xs.length} onClick={() => setFirst(first + ROWS)}>Later</button>
        <span role="status">Rows {first + 1} to {end} of {xs.length}</span></p> : null}
    </div>
  );
}
