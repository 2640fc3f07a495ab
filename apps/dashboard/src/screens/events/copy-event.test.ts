import type { SwarmEvent } from '@hypercode/contracts';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COPY_KINDS, copyOf } from './copy-event.ts';

/** Where each shell runs: whatever a hostile text makes stays here, and is found. */
const folder = mkdtempSync(join(tmpdir(), 'copy-event-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TARGET = { url: 'http://127.0.0.1:7700', namespace: 'default' };
const HOSTILE: Record<string, SwarmEvent['data']> = {
  'quotes of all kinds': `'"\`$(touch pwned)\`touch pwned\`'; touch pwned #`,
  'the end of the here-document': '\nSWARM_EVENT\ntouch pwned\n',
  'the end, as the whole': 'SWARM_EVENT',
  expansions: '${IFS}$(touch${IFS}pwned)$((1)) ~ * ? {a,b} $HOME $SWARM_TOKEN !! !touch !$',
  'line ends': 'a\r\ntouch pwned\r\u2028touch pwned\u2029\u0085x',
  'terminal controls': '\u001b[201~touch pwned\n\u0003\u0004\u0007\u007f\u009b31m',
  'bidi and invisible characters': 'a\u202Edwp hcuot\u2066\u200B\uFEFF\u{E0041}',
  backslashes: 'a\\\\b\\n\\u0021 \\',
  'a key of prototypes': JSON.parse('{"__proto__":{"x":1},"constructor":"y"}') as SwarmEvent['data'],
  'every other character': Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code + 1)).join(''),
  emoji: '👩‍🚀🇪🇺',
  'a quarter of a megabyte': `${"'$(touch pwned)\n".repeat(15_000)}end`,
};

const eventOf = (data: SwarmEvent['data']): SwarmEvent => ({
  id: '0190f1d2-0000-7000-8000-000000000001',
  topic: 'a.b',
  time: '2026-01-01T00:00:00Z',
  namespace: 'default',
  source: '/agents/default/x',
  data,
  subject: `'; touch pwned; '`,
  correlationId: '$(touch pwned)',
});

/** In place of the real commands: they keep what each call was given. */
const STUBS = String.raw`SWARM_TOKEN='the token'
calls=0
keep() {
  calls=$((calls + 1))
  printf '%s\n' "$@" > "$calls.arguments"
  cat > "$calls.stdin"
  printf '%s' "$SWARM_TOKEN" > "$calls.token"
}
curl() { keep "$@"; }
swarm() { keep "$@"; }
`;

/** Runs a program with a text on its stdin, in the folder. Rejects when it fails or prints an error. */
const run = async (program: string, argument: string, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(program, [argument], { cwd: folder, maxBuffer: 8_000_000 }, (error, stdout, stderr) => {
      if (error === null && stderr === '') resolve(stdout);
      else reject(error ?? new Error(stderr));
    });
    child.stdin?.end(text);
  });

const ARGUMENTS = {
  curl: [
    '-sS',
    'http://127.0.0.1:7700/v1/events?namespace=default',
    '-H',
    'Authorization: Bearer the token',
    '-H',
    'Content-Type: application/json',
    '--data-binary',
    '@-',
  ],
  cli: ['--url', TARGET.url, '--namespace', 'default', 'events', 'pub', '--file', '-'],
};

test.each(['sh', 'bash'])('%s hands the data of hostile events over whole, and runs nothing else', async (shell) => {
  const pasted = Object.entries(HOSTILE).flatMap(([name, data]) =>
    (['curl', 'cli'] as const).map((kind) => ({ name, kind, event: eventOf(data) })),
  );
  await run(shell, '-s', STUBS + pasted.map(({ kind, event }) => copyOf(kind, event, TARGET)).join(''));
  const files = pasted.flatMap((_, index) => ['arguments', 'stdin', 'token'].map((file) => `${index + 1}.${file}`));
  expect(readdirSync(folder).toSorted()).toEqual(files.toSorted());
  for (const [index, { name, kind, event }] of pasted.entries()) {
    const read = (file: string): string => readFileSync(join(folder, `${index + 1}.${file}`), 'utf8');
    const { topic, data, subject, correlationId } = event;
    const stdin = read('stdin');
    expect(stdin.indexOf('\n'), name).toBe(stdin.length - 1);
    expect(JSON.parse(stdin), name).toEqual({ topic, data, subject, correlationId });
    expect(read('token')).toBe('the token');
    expect(read('arguments').trimEnd().split('\n')).toEqual(ARGUMENTS[kind]);
  }
  for (const file of files) rmSync(join(folder, file));
});

test('every copy is printable ASCII, without an exclamation mark outside of code that has none', () => {
  for (const data of Object.values(HOSTILE))
    for (const kind of COPY_KINDS) expect(copyOf(kind, eventOf(data), TARGET)).toMatch(/^[\n -~]*$/);
  expect(copyOf('curl', eventOf('!!'), TARGET)).not.toContain('!');
});

test('a program in TypeScript and one in Python have the event, whatever it says', async () => {
  const events = Object.values(HOSTILE).map(eventOf);
  for (const event of events) {
    const literal = /^const event = JSON\.parse\((.*)\);$/m.exec(copyOf('typescript', event, TARGET))?.[1];
    // A string of JSON is one of JavaScript.
    expect(JSON.parse(JSON.parse(literal ?? '""') as string)).toMatchObject({ data: event.data });
  }
  const programs = events.map(
    (event) => `${/^event = .*$/m.exec(copyOf('python', event, TARGET))?.[0]}\nprint(event)\n`,
  );
  const printed = (await run('python3', '-', programs.join(''))).trimEnd().split('\n');
  expect(printed.map((line) => (JSON.parse(line) as SwarmEvent).data)).toEqual(events.map(({ data }) => data));
  expect(readdirSync(folder)).toEqual([]);
});
