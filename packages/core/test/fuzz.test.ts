// Ten thousand random mutations of valid requests: no answer is a fault of the core's, and it lives on.
import { RegisterResult } from '@hypercode/contracts';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bytesOf, type Request, requestOf } from './fuzz-mutations.ts';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from './core.ts';

const CASES = 10_000;
/** The seed of the first case; each of the others has the next. A failure names its own. */
const FIRST_SEED = 1;
const CONCURRENCY = 24;
/** A mutated length can promise more than is sent: then the core waits, and we do not. */
const PATIENCE_MS = 1000;

let core: TestCore;
let agentToken = '';

beforeAll(async () => {
  core = await startTestCore();
  const json = { name: 'fuzzed', role: 'worker', version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { method: 'POST', json });
  agentToken = RegisterResult.parse(await answer.json()).token ?? '';
}, START_TIMEOUT_MS);
afterAll(() => core.close());

interface Outcome {
  /** Null: the core waits for more, or cut the connection. */
  status: number | null;
  text: string;
}

/** Sends a request on a connection of its own, and reads the answer; of a stream only the beginning. */
function send(request: Request): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(core.port, '127.0.0.1', () => void socket.write(bytesOf(request)));
    const done = () => {
      socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text });
    };
    socket.setTimeout(PATIENCE_MS, done);
    socket.on('error', done);
    socket.on('close', done);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (/^content-type: text\/event-stream/im.test(text)) done();
    });
  });
}

it('mutated requests never end in a fault of the core', { timeout: 300_000 }, async () => {
  const failures: string[] = [];
  const statuses = new Map<number | null, number>();
  let next = FIRST_SEED;
  const worker = async (): Promise<void> => {
    while (next < FIRST_SEED + CASES) {
      const seed = next;
      next += 1;
      const request = requestOf(seed, agentToken);
      const { status, text } = await send(request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if ((status !== null && status >= 500) || text.includes('"code":"INTERNAL"')) {
        failures.push(`seed ${seed}: ${bytesOf(request).toString('latin1').slice(0, 2000)}\n=> ${text.slice(0, 2000)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  expect(failures.join('\n\n')).toBe('');
  expect(core.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  // Many have to get through to what they were aimed at, or nothing was tried.
  expect(statuses.get(200)).toBeGreaterThan(CASES / 20);
  expect(statuses.get(400)).toBeGreaterThan(CASES / 20);
  expect(statuses.get(null) ?? 0).toBeLessThan(CASES / 20);

  expect((await core.fetch('/healthz', { token: null })).status).toBe(200);
  expect((await core.fetch('/readyz', { token: null })).status).toBe(200);
  const last = await core.fetch('/v1/agents?namespace=after', {
    method: 'POST',
    json: { name: 'after-all', role: 'a', version: '1.0.0' },
  });
  expect(last.status).toBe(201);
});
