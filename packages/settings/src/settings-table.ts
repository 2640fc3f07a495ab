// The settings as a table of Markdown.
import type { Settings } from './read-settings.ts';
import type { Setting } from './setting.ts';

const COLUMNS = ['Variable', 'Default', 'Expected', 'Meaning'] as const;

export function settingsTable(settings: Settings): string {
  const rows = Object.values(settings).map((setting) => [
    `\`${setting.variable}\``,
    defaultOf(setting),
    setting.expects,
    setting.meaning,
  ]);
  const widths = COLUMNS.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map((row) => line(row))].join('\n');
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.defaultMeans !== undefined) return setting.defaultMeans;
  return setting.default === null ? 'none' : `\`${setting.default}\``;
}
