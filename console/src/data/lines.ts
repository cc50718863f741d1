// The lines of a log that a page has, packed: about their text's bytes and 17 more a line. No more than so many: the oldest go.
import type { LogLine } from "./logs";

const MOST_LINES = 1_000_000, MOST_CHARACTERS = 200_000_000;
const PIECE = 2_000; // lines that are packed together

export interface Line extends LogLine {
  host: string;
}

interface Piece {
  text: string; // of all its lines, one below the other
  starts: Uint32Array; // of each line in it
  times: Float64Array;
  hosts: Uint32Array; // by their place in `names`
}

export class Lines {
  first = 0; // the number of the first line that is still here; the log's first is 0
  private pieces: Piece[] = []; // each of PIECE lines
  private open: Line[] = []; // not yet packed
  private names: string[] = [];
  private characters = 0;

  get end(): number { return this.first + this.length; }
  get length(): number { return this.pieces.length * PIECE + this.open.length; }
  get hosts(): number { return this.names.length; }

  append(lines: Line[]): void {
    for (const line of lines) {
      this.nameOf(line.host);
      this.open.push(line);
      if (this.open.length === PIECE) this.pack();
    }
    while (this.pieces.length > 1 && (this.length > MOST_LINES || this.characters > MOST_CHARACTERS)) {
      this.characters -= this.pieces.shift()!.text.length;
      this.first += PIECE;
    }
  }

  at(number: number): Line {
    const index = number - this.first, piece = this.pieces[Math.floor(index / PIECE)], i = index % PIECE;
    if (!piece) return this.open[index - this.pieces.length * PIECE]!;
    const end = i + 1 < PIECE ? piece.starts[i + 1]! - 1 : piece.text.length;
    return { time: piece.times[i]!, text: piece.text.slice(piece.starts[i], end), host: this.names[piece.hosts[i]!]! };
  }

  // Numbers of the lines from `from` on that have this text, in capitals or not.
  find(text: string, from: number): number[] {
    const wanted = text.toLowerCase(), found: number[] = [];
    let number = this.first;
    for (const piece of this.pieces) {
      if (number + PIECE > from && piece.text.toLowerCase().includes(wanted))
        for (let i = Math.max(0, from - number); i < PIECE; i++) if (this.at(number + i).text.toLowerCase().includes(wanted)) found.push(number + i);
      number += PIECE;
    }
    this.open.forEach((line, i) => { if (number + i >= from && line.text.toLowerCase().includes(wanted)) found.push(number + i); });
    return found;
  }

  text(): string {
    return [...this.pieces.map((piece) => piece.text), ...this.open.map((line) => line.text)].join("\n");
  }

  private pack(): void {
    let start = 0;
    const piece: Piece = { text: this.open.map((line) => line.text).join("\n"), starts: new Uint32Array(PIECE), times: new Float64Array(PIECE), hosts: new Uint32Array(PIECE) };
    this.open.forEach((line, i) => {
      piece.starts[i] = start;
      start += line.text.length + 1;
      piece.times[i] = line.time;
      piece.hosts[i] = this.nameOf(line.host);
    });
    this.pieces.push(piece);
    this.characters += piece.text.length;
    this.open = [];
  }

  private nameOf(host: string): number {
    const at = this.names.indexOf(host);
    return at >= 0 ? at : this.names.push(host) - 1;
  }
}
