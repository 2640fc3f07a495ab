// Rows fit the terminal, whatever is in them.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import stringWidth from 'string-width';
import { Output } from './output.ts';
import { red } from './parts.ts';
import { type Column, Table } from './table.ts';
import type { OutputStream } from './terminal.ts';

interface Row {
  readonly name: string;
  readonly note: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'state', value: () => red('open') },
  { title: 'note', value: ({ note }) => note, optional: true },
];

function linesOf(rows: readonly Row[], columns?: number, env: Record<string, string> = {}): string[] {
  const stdout: PassThrough & OutputStream = new PassThrough();
  if (columns !== undefined) Object.assign(stdout, { isTTY: true, columns });
  const output = new Output({
    streams: { stdin: new PassThrough(), stdout, stderr: new PassThrough() },
    env,
    json: false,
  });
  const table = new Table(output, COLUMNS);
  for (const row of rows) table.add(row);
  table.flush();
  return String(stdout.read()).trimEnd().split('\n');
}

test('columns are as wide as their widest value, wide characters included', () => {
  const lines = linesOf([
    { name: 'ada', note: 'x' },
    { name: '世界', note: 'y' },
  ]);
  expect(lines).toEqual(['NAME  STATE  NOTE', 'ada   open   x', '世界  open   y']);
});

test('a long value is cut to the width of the terminal', () => {
  const lines = linesOf([{ name: '世'.repeat(60), note: 'n'.repeat(200) }], 80, { NO_COLOR: '1' });
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(80);
  expect(lines[1]).toContain('…');
});

test('an optional column is left out where there is no room', () => {
  expect(linesOf([{ name: 'ada-lovelace', note: 'n'.repeat(50) }], 20, { NO_COLOR: '1' })[0]).not.toContain('NOTE');
});

test('colours are only on a terminal, and not with NO_COLOR', () => {
  const rows = [{ name: 'ada', note: '' }];
  expect(linesOf(rows, 80, { TERM: 'xterm' }).join('')).toContain('\u001b[31mopen');
  expect(linesOf(rows, 80, { NO_COLOR: '1' }).join('')).not.toContain('\u001b');
  expect(linesOf(rows).join('')).not.toContain('\u001b');
});

test('without UTF-8, nothing else than ASCII is shown', () => {
  const lines = linesOf([{ name: 'grün', note: 'n'.repeat(100) }], 40, { NO_COLOR: '1', LC_ALL: 'C' });
  expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
});
