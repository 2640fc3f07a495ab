// What a row of the bench finds, and how it is shown.

/** What the project sets itself for a figure. */
export interface Goal {
  of: 'value' | 'ratio';
  atLeast?: number;
  atMost?: number;
}

/** One line of the table. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it is held against: measured in turns with it, in the same run. */
  reference?: { what: string; value: number };
  /** `value` over the reference, as the median of the rounds' ratios. */
  ratio?: number;
  goal?: Goal;
  note?: string;
}

export type Verdict = 'met' | 'missed' | 'no goal';

export function verdictOf({ value, ratio, goal }: Figure): Verdict {
  const judged = goal?.of === 'value' ? value : ratio;
  if (goal === undefined || judged === undefined) return 'no goal';
  return judged >= (goal.atLeast ?? -Infinity) && judged <= (goal.atMost ?? Infinity) ? 'met' : 'missed';
}

/** A line of the table as its cells. */
export function cellsOf(figure: Figure): string[] {
  const { what, value, unit, reference, ratio, goal } = figure;
  const verdict = verdictOf(figure);
  return [
    what,
    `${numeral(value)} ${unit}`,
    reference === undefined ? '' : `${reference.what}: ${numeral(reference.value)} ${unit}`,
    ratio === undefined ? '' : `${numeral(ratio)} x`,
    goal === undefined ? '' : `${goalText(goal, unit)} ${verdict}`,
  ];
}

function goalText({ of, atLeast, atMost }: Goal, unit: string): string {
  const measure = of === 'ratio' ? 'x' : unit;
  return atLeast === undefined ? `<= ${atMost} ${measure}` : `>= ${atLeast} ${measure}`;
}

/** Three digits that count, and thousands apart: 12,300 / 4.56 / 0.0789. */
export function numeral(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return Number(value.toPrecision(3)).toLocaleString('en-GB');
  return String(Number(value.toPrecision(3)));
}

/** Columns as wide as their widest cell, the first row underlined as their heading. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  const [heading = [], ...body] = rows;
  return [line(heading), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}
