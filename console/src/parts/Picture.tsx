// What is on the page, as one picture: the title, a table, and the charts as they are drawn now.
import { save } from "./pieces";

const WIDTH = 1200, GAP = 16, ROW = 24, HEAD = 28;

interface Drawing {
  context: CanvasRenderingContext2D;
  text: string; // colours
  line: string;
}

function drawTable({ context, text, line }: Drawing, table: HTMLTableElement, top: number): number {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s*✕\s*$/, "").replace(/\s+/g, " ")));
  const width = (WIDTH - 2 * GAP) / Math.max(1, ...rows.map((row) => row.length));
  context.font = "14px system-ui, sans-serif";
  rows.forEach((row, i) => {
    context.fillStyle = text;
    row.forEach((cell, j) => context.fillText(cell, GAP + j * width, top + i * ROW + 17, width - 8));
    context.fillStyle = line;
    context.fillRect(GAP, top + (i + 1) * ROW - 1, WIDTH - 2 * GAP, 1);
  });
  return top + rows.length * ROW + GAP;
}

// Two charts a row, each under its title and with its curves' names.
function chartHeight(figure: HTMLElement): number {
  const canvas = figure.querySelector("canvas");
  return canvas ? HEAD + (canvas.height / canvas.width) * (WIDTH / 2 - 1.5 * GAP) + legendOf(figure).length * 18 + GAP : 0;
}

const legendOf = (figure: HTMLElement) => [...figure.querySelectorAll<HTMLElement>(".u-legend .u-series:not(.hidden)")].slice(1).map((series) => ({
  name: series.querySelector(".u-label")?.textContent ?? "", colour: series.querySelector<HTMLElement>(".u-marker")?.style.borderColor || series.querySelector<HTMLElement>(".u-marker")?.style.background || "",
}));

function drawChart({ context, text }: Drawing, figure: HTMLElement, left: number, top: number): void {
  const canvas = figure.querySelector("canvas");
  if (!canvas) return;
  const width = WIDTH / 2 - 1.5 * GAP, height = (canvas.height / canvas.width) * width;
  context.fillStyle = text;
  context.font = "600 15px system-ui, sans-serif";
  context.fillText(figure.querySelector("h2")?.textContent ?? "", left, top + 18, width);
  context.drawImage(canvas, left, top + HEAD, width, height);
  context.font = "13px system-ui, sans-serif";
  legendOf(figure).forEach(({ name, colour }, i) => {
    const y = top + HEAD + height + i * 18;
    context.fillStyle = colour.split(" ").slice(-3).join(" ") || text;
    context.fillRect(left, y + 3, 12, 10);
    context.fillStyle = text;
    context.fillText(name, left + 18, y + 13, width - 18);
  });
}

function draw(title: string): HTMLCanvasElement {
  const style = getComputedStyle(document.documentElement), colour = (name: string) => style.getPropertyValue(name).trim();
  const table = document.querySelector<HTMLTableElement>("main table"), figures = [...document.querySelectorAll<HTMLElement>("main figure.chart")];
  const rows = Array.from({ length: Math.ceil(figures.length / 2) }, (_, i) => figures.slice(2 * i, 2 * i + 2));
  const heights = rows.map((pair) => Math.max(...pair.map(chartHeight)));
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = 3 * GAP + HEAD + (table ? table.rows.length * ROW + GAP : 0) + heights.reduce((sum, height) => sum + height, 0);
  const drawing: Drawing = { context: canvas.getContext("2d")!, text: colour("--text"), line: colour("--line") };
  const { context } = drawing;
  context.fillStyle = colour("--back");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = drawing.text;
  context.font = "700 20px system-ui, sans-serif";
  context.fillText(title, GAP, GAP + 20);
  let top = 2 * GAP + HEAD;
  if (table) top = drawTable(drawing, table, top);
  rows.forEach((pair, i) => {
    pair.forEach((figure, j) => drawChart(drawing, figure, GAP + j * (WIDTH / 2), top));
    top += heights[i]!;
  });
  return canvas;
}

export function PictureButton({ title, file }: { title: string; file: string }) {
  const take = () => draw(title).toBlob((blob) => { if (blob) save(file, blob); });
  return <button class="quiet" onClick={take}>Picture of all</button>;
}
