// docs/configuration.md, made from the list of settings.
import { type Setting, SETTINGS } from './settings.ts';

const HEADER = `# Configuration

Core is configured by its environment alone. An empty variable counts as an absent one. A value that is not as expected
stops the start with one line that names the variable; the values of tokens and addresses are never shown.

Where \`DATABASE_URL\` is absent, core is embedded: its database and its tokens are in \`SWARM_DATA_DIR\`, and one process
at a time can run on it. The tokens that are not given are made at the first start and kept in \`credentials.json\` there.

This page is generated from \`apps/core/src/config/settings.ts\` by \`node apps/core/src/config/write-docs.ts\`.
`;

const COLUMNS = ['Variable', 'Default', 'Expected', 'Meaning'] as const;

function defaultOf(setting: Setting<unknown>): string {
  if (setting.defaultMeans !== undefined) return setting.defaultMeans;
  return setting.default === null ? 'none' : `\`${setting.default}\``;
}

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const settings: Setting<unknown>[] = Object.values(SETTINGS);
  const rows = settings.map((setting) => [
    `\`${setting.variable}\``,
    defaultOf(setting),
    setting.expects,
    setting.meaning,
  ]);
  const widths = COLUMNS.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const table = [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map((row) => line(row))];
  return `${HEADER}\n${table.join('\n')}\n`;
}
