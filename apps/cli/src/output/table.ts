// Rows in columns that fit the terminal. Rows are printed as they come: the first ones decide the widths.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { Output } from './output.ts';
import { dim, type Line, partsOf } from './parts.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => Line;
  readonly align?: 'right';
  /** Whether it is left out where the terminal has no room for it. */
  readonly optional?: boolean;
}

/** So many rows decide the widths. */
const MEASURED_ROWS = 500;
const GAP = 2;
/** No column becomes narrower than this. */
const MIN_WIDTH = 8;

/** A table that takes its rows one by one. */
export class Table<Row> {
  readonly #output: Output;
  #columns: readonly Column<Row>[];
  #waiting: Row[] = [];
  #widths: readonly number[] | null = null;

  constructor(output: Output, columns: readonly Column<Row>[]) {
    this.#output = output;
    this.#columns = columns;
  }

  add(row: Row): void {
    if (this.#widths !== null) return this.#print(row, this.#widths);
    this.#waiting.push(row);
    if (this.#waiting.length >= MEASURED_ROWS) this.flush();
  }

  /** Prints the rows that wait for their widths. Later rows are printed at once. */
  flush(): void {
    if (this.#widths !== null || this.#waiting.length === 0) return;
    const rows = this.#waiting;
    this.#waiting = [];
    const natural = this.#columns.map(({ title, value }) =>
      rows.reduce((widest, row) => Math.max(widest, stringWidth(this.#output.plain(value(row)))), title.length),
    );
    const fitted = fit(this.#columns, natural, this.#output.columns);
    this.#columns = fitted.map(({ column }) => column);
    const widths = (this.#widths = fitted.map(({ width }) => width));
    this.#row(
      this.#columns.map(({ title }) => dim(title.toUpperCase())),
      widths,
    );
    for (const row of rows) this.#print(row, widths);
  }

  #print(row: Row, widths: readonly number[]): void {
    this.#row(
      this.#columns.map(({ value }) => value(row)),
      widths,
    );
  }

  #row(cells: readonly Line[], widths: readonly number[]): void {
    const isTerminal = Number.isFinite(this.#output.columns);
    const texts = cells.map((cell, index) => {
      const width = widths[index] ?? 0;
      const whole = this.#output.shown(cell);
      const text = isTerminal
        ? cliTruncate(whole, width, { truncationCharacter: this.#output.isUtf8 ? '…' : '~' })
        : whole;
      const padding = ' '.repeat(Math.max(0, width - stringWidth(text)));
      if (this.#columns[index]?.align === 'right') return padding + text;
      return index === cells.length - 1 ? text : text + padding;
    });
    this.#output.printed(texts.join(' '.repeat(GAP)).trimEnd());
  }
}

interface Fitted<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Leaves out optional columns, the last first, then narrows the widest ones, until the row fits. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], room: number): Fitted<Row>[] {
  let fitted = columns.map((column, index) => ({ column, width: natural[index] ?? 0 }));
  const excess = (): number => fitted.reduce((sum, { width }) => sum + width + GAP, -GAP) - room;
  const narrowest = (): number =>
    fitted.reduce((sum, { width }) => sum + Math.min(width, MIN_WIDTH) + GAP, -GAP) - room;
  while (narrowest() > 0) {
    const last = fitted.findLast(({ column }) => column.optional === true);
    if (last === undefined) break;
    fitted = fitted.filter((one) => one !== last);
  }
  while (excess() > 0) {
    const widest = fitted.reduce((most, one) => (one.width > most.width ? one : most));
    if (widest.width <= MIN_WIDTH) break;
    widest.width -= 1;
  }
  return fitted;
}

/** Facts about one thing, a line each. */
export function printFacts(output: Output, facts: readonly (readonly [name: string, value: Line])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length));
  for (const [name, value] of facts) {
    output.line([dim(name.padEnd(width + GAP)), ...partsOf(value)]);
  }
}
