// The official inspector, as a program, lists all tools and calls one of each kind. Its 111 MiB are not the workspace's: it is installed
// beside it, each night (`downloading` in vitest.config.ts).
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { type TemporaryFolder, temporaryFolder } from '@hypercode/testkit';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const VERSION = '2.12.0';
/** A first install downloads all that it needs. */
const INSTALL_LIMIT_MS = 300_000;
const run = promisify(execFile);

describe('the inspector', () => {
  let folder: TemporaryFolder;
  let core: TestCore;

  beforeAll(
    async () => {
      folder = temporaryFolder('inspector');
      await writeFile(join(folder.path, 'package.json'), '{"private":true}');
      const install = ['install', '--no-audit', '--no-fund', '--no-save', `@modelcontextprotocol/inspector@${VERSION}`];
      [core] = await Promise.all([startTestCore(), run('npm', install, { cwd: folder.path })]);
    },
    Math.max(INSTALL_LIMIT_MS, START_TIMEOUT_MS),
  );
  afterAll(async () => {
    await core?.close();
    await folder?.remove();
  });

  /** What it prints: the result of the method, as JSON. */
  async function inspect(...words: string[]): Promise<Record<string, unknown>> {
    const program = join(folder.path, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');
    const target = [
      '--cli',
      `${core.url}/mcp`,
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${core.joinToken}`,
    ];
    const { stdout } = await run(process.execPath, [program, ...target, ...words], {
      cwd: folder.path,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
        HOME: folder.path,
        MCP_CATALOG_PATH: join(folder.path, 'mcp.json'),
      },
    });
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  const call = (name: string, args: Record<string, string> = {}) =>
    inspect(
      ...['--method', 'tools/call', '--tool-name', name],
      ...Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${value}`]),
    );

  test('lists all tools, and calls each', async () => {
    const { tools } = (await inspect('--method', 'tools/list')) as { tools: { name: string }[] };
    const as = 'inspected';
    const unknown = '00000000-0000-4000-8000-000000000000';
    const args: Record<string, Record<string, string>> = {
      whoami: {},
      join: { name: as, role: 'worker' },
      find_agents: { as },
      get_agent: { as, name: as },
      publish: { as, topic: `agent.${as}.inbox.note`, data: '"hello"' },
      read_events: { as },
      wait_for_events: { as, topics: JSON.stringify([`agent.${as}.inbox.>`]), waitMs: '0' },
      claim_work: { as, waitMs: '0' },
      extend_work: { as, deliveryId: 'none' },
      ack_work: { as, deliveryId: 'none' },
      nack_work: { as, deliveryId: 'none', reason: 'no' },
      ask_agent: { as, to: as, data: '"hello"', waitMs: '0' },
      ask_person: { as, text: 'May I?', waitMs: '0' },
      submit_goal: { as, title: 'A goal' },
      explain: { as, action: 'publish', topic: 'a.b' },
      trace_event: { as, id: unknown },
      leave: { as },
    };
    expect(tools.map(({ name }) => name).toSorted()).toEqual(Object.keys(args).toSorted());
    for (const [name, given] of Object.entries(args)) {
      const result = await call(name, given).catch(
        (error: unknown) => JSON.parse((error as { stdout?: string }).stdout ?? 'null') as never,
      );
      // A refusal is an answer, too: it says what to do.
      expect(result, name).toHaveProperty('structuredContent');
    }
  });
});
