// Curves over time. Of a curve with more samples than the chart has columns, each column shows its least and greatest value as a
// band and its last as the line. Beside every chart is a table of the same values.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Curve } from "../data/metrics";
import { number, preciseTime, zone } from "../format";
import { save } from "./pieces";

// Okabe and Ito's colours, told apart with every kind of colour vision; dark enough on white, light enough on black.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#b2568d", "#8a6d00", "#3a8fc4", "#6f6f6f", "#a3461a"];
const DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export interface Line {
  label: string;
  curve: Curve;
  origin?: number; // where this line's time begins, on an axis of elapsed time
}

type Axis = "time" | "elapsed";

// All lines on one grid of x: uPlot wants aligned columns. Where a line has no value there is null.
function align(lines: Line[], axis: Axis): uPlot.AlignedData {
  const tables = lines.map(({ curve, origin }) => {
    const x = curve.times.map((time) => (axis === "elapsed" ? time - (origin ?? curve.times[0] ?? 0) : time));
    const shown = curve.smoothed ?? curve.values;
    return [x, shown, curve.minimums ?? shown, curve.maximums ?? shown] as uPlot.AlignedData;
  });
  return tables.length ? uPlot.join(tables) : [[]];
}

function seriesOf(lines: Line[]): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  lines.forEach((line, i) => {
    const stroke = COLOURS[i % COLOURS.length]!;
    const at = series.length;
    series.push({ label: line.label, stroke, width: 1.5, dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length], spanGaps: true, value: (_, value) => (value === null ? "–" : number(value)) });
    series.push({ show: true, stroke: "transparent", width: 0, spanGaps: true, points: { show: false }, label: `${line.label} least`, class: "hidden" });
    series.push({ show: true, stroke: "transparent", width: 0, spanGaps: true, points: { show: false }, label: `${line.label} greatest`, class: "hidden" });
    if (line.curve.minimums) bands.push({ series: [at + 2, at + 1], fill: stroke + "33" });
  });
  return { series, bands };
}

const cssColour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart({ title, lines, axis = "time", zoom }: { title: string; lines: Line[]; axis?: Axis; zoom?: (window: { from: number; to: number } | null) => void }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [tabled, setTabled] = useState(false);
  const shape = lines.map((line) => line.label + (line.curve.minimums ? "~" : "")).join("\n") + axis + zone.value;
  const data = useMemo(() => align(lines, axis), [lines, axis]);

  useEffect(() => {
    const element = holder.current!;
    const { series, bands } = seriesOf(lines);
    const grid = { stroke: cssColour("--grid"), width: 1 };
    plot.current = new uPlot({
      width: Math.max(240, element.clientWidth), height: 220, series, bands,
      scales: { x: { time: axis === "time" } },
      tzDate: (seconds) => (zone.value === "UTC" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
      axes: [{ stroke: cssColour("--text"), grid, values: axis === "elapsed" ? (_, ticks) => ticks.map((tick) => `${tick} s`) : undefined },
             { stroke: cssColour("--text"), grid, size: 64 }],
      cursor: { drag: { x: true, y: false } },
      hooks: {
        setSelect: [(chart) => {
          if (chart.select.width > 4 && zoom && axis === "time") zoom({ from: chart.posToVal(chart.select.left, "x"), to: chart.posToVal(chart.select.left + chart.select.width, "x") });
        }],
      },
    }, data, element);
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(240, element.clientWidth), height: 220 }));
    resize.observe(element);
    element.ondblclick = () => zoom?.(null);
    return () => { resize.disconnect(); plot.current?.destroy(); plot.current = null; };
  }, [shape]);
  useEffect(() => { plot.current?.setData(data); }, [data]);

  const picture = () => holder.current?.querySelector("canvas")?.toBlob((blob) => { if (blob) save(`${title}.png`, blob); });
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <button class="quiet" aria-expanded={tabled} onClick={() => setTabled(!tabled)}>{tabled ? "Hide table" : "Table"}</button>
        <button class="quiet" onClick={picture}>PNG</button>
      </figcaption>
      <div ref={holder} role="img" aria-label={`${title}: ${lines.map((line) => `${line.label}, last ${number(line.curve.values.at(-1) ?? NaN)}`).join("; ")}`} />
      {tabled ? <ValuesTable lines={lines} /> : null}
    </figure>
  );
}

function ValuesTable({ lines }: { lines: Line[] }) {
  const rows = lines.flatMap((line) => line.curve.times.map((time, i) => ({ label: line.label, time, value: line.curve.values[i]!, least: line.curve.minimums?.[i], greatest: line.curve.maximums?.[i] })));
  const most = 500;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Values">
      <table>
        <thead><tr><th scope="col">Curve</th><th scope="col">Time ({zone.value})</th><th scope="col">Value</th><th scope="col">Least</th><th scope="col">Greatest</th></tr></thead>
        <tbody>
          {rows.slice(-most).map((row, i) => (
            <tr key={i}><td>{row.label}</td><td>{preciseTime(row.time * 1000)}</td><td class="number">{number(row.value)}</td>
              <td class="number">{row.least === undefined ? "" : number(row.least)}</td><td class="number">{row.greatest === undefined ? "" : number(row.greatest)}</td></tr>
          ))}
        </tbody>
      </table>
      {rows.length > most ? <p>The last {most} of {rows.length} values.</p> : null}
    </div>
  );
}
