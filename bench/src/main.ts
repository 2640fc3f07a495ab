// `pnpm bench`: measures row by row, prints one table, and writes everything to results/.
import { buildApps } from '@hypercode/testkit';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cellsOf, tableOf, verdictOf } from './figures.ts';
import { Rig } from './rig.ts';
import { architect } from './rows/architect.ts';
import { circuitCheck } from './rows/circuit-check.ts';
import { circuitSpread } from './rows/circuit-spread.ts';
import { cliStart } from './rows/cli-start.ts';
import { eventLatency } from './rows/event-latency.ts';
import { fanOut } from './rows/fan-out.ts';
import { groups } from './rows/groups.ts';
import { heartbeats } from './rows/heartbeats.ts';
import { idleWatchers } from './rows/idle-watchers.ts';
import { mcpCalls } from './rows/mcp-calls.ts';
import { probes } from './rows/probes.ts';
import { publish } from './rows/publish.ts';
import { publishLatency } from './rows/publish-latency.ts';
import { queryLatency } from './rows/query-latency.ts';
import { records } from './rows/records.ts';
import { registrations } from './rows/registrations.ts';
import type { Findings, Row } from './rows/row.ts';
import { subscribers } from './rows/subscribers.ts';
import { topicMatching } from './rows/topic-matching.ts';
import { tracing } from './rows/tracing.ts';
import { watchLatency } from './rows/watch-latency.ts';

const ROWS: readonly Row[] = [
  ...[registrations, queryLatency, fanOut, idleWatchers, heartbeats, watchLatency],
  ...[publish, publishLatency, eventLatency, subscribers, groups, topicMatching, records, tracing],
  ...[probes, circuitCheck, circuitSpread, architect, cliStart, mcpCalls],
];
const RESULTS = join(import.meta.dirname, '../results');

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const names = ROWS.map(({ name }) => name);
if (options.help) {
  process.stdout.write(`pnpm bench [--only ${names.join('|')}]… [--quick] [--rounds N] [--profile]\n`);
  process.exit(0);
}
const wanted = options.only.flatMap((list) => list.split(','));
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) fail(`There is no row "${unknown}"; there are ${names.join(', ')}.`);
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
if (!Number.isInteger(rounds) || rounds < 1) fail('--rounds takes a number of at least 1.');

const startedAt = new Date().toISOString();
const stamp = startedAt.replaceAll(/[:.]/g, '-');
const rows = wanted.length === 0 ? ROWS : ROWS.filter(({ name }) => wanted.includes(name));
// The core and the Architect are measured as compiled programs.
await buildApps();
const measured: { row: string; title: string; seconds: number; load: number; findings: Findings }[] = [];
let failed = false;
{
  await using rig = new Rig({
    quick: options.quick,
    rounds,
    profileFolder: options.profile ? join(RESULTS, `${stamp}-profiles`) : null,
  });
  for (const row of rows) {
    rig.say(`${row.name}: ${row.title}`);
    const started = performance.now();
    try {
      const findings = await row.measure(rig);
      const seconds = Math.round((performance.now() - started) / 1000);
      measured.push({ row: row.name, title: row.title, seconds, load: loadavg()[0] ?? 0, findings });
    } catch (error) {
      failed = true;
      rig.say(`!! ${row.name} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
}

const report = {
  startedAt,
  quick: options.quick,
  rounds,
  machine: { processor: cpus()[0]?.model, processors: availableParallelism(), node: process.version },
  commit: commit(),
  measured: measured.map(({ findings, ...rest }) => ({
    ...rest,
    ...findings,
    figures: findings.figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) })),
  })),
};
mkdirSync(RESULTS, { recursive: true });
const path = join(RESULTS, `${stamp}.json`);
writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);

const lines = measured.flatMap(({ findings }) => findings.figures.map(cellsOf));
process.stdout.write(`\n${tableOf([['measured', 'here', 'reference', 'ratio', 'goal'], ...lines])}\n`);
for (const { row, findings } of measured) {
  for (const note of findings.notes ?? []) process.stdout.write(`* ${row}: ${note}\n`);
}
const { machine } = report;
process.stdout.write(
  `\n${machine.processors} x ${machine.processor}, Node ${machine.node}, ${rounds} rounds in turns, medians` +
    `${options.quick ? ', QUICK: sizes too small to quote' : ''}\n${path}\n`,
);
if (failed) process.exitCode = 1;

function commit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
