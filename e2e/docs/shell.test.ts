// What counts as a fault of a shell sample: the test of the documentation is worth as much as this.
import { temporaryFolder } from '@hypercode/testkit';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isShown } from './blocks.ts';
import { Shell } from './shell.ts';

const folder = temporaryFolder('shell');
let shell: Shell;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(({ url: path }, response) => {
    response.statusCode = path === '/refused' ? 404 : 200;
    // A stream goes on.
    if (path === '/stream') response.write('first\n');
    else response.end('answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  shell = new Shell(folder.path, folder.path, {});
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

test.each([
  ['an answer', 'curl $url', 'answer', []],
  ['a refusal', 'curl $url/refused', 'answer', ['STATUS 404']],
  ['a refusal in a substitution', 'answer=$(curl $url/refused); echo "$answer"', 'answer', ['STATUS 404']],
  ['a command that fails before others', 'false; echo on', 'on', ['FAILED with 1: false']],
  ['a failure in a function and a pipe', 'f() { false | cat; }; f; echo on', 'on', ['FAILED with 1']],
  ['an unknown command', 'nonsense', '', ['nonsense']],
  ['a word on the error output', 'echo oh >&2', '', ['oh']],
])('%s', async (_, code, printed, faults) => {
  const ran = await shell.run(`url=${url}\n${code}`);
  expect(ran.output().trim()).toBe(printed);
  expect(ran.faults.length >= faults.length && faults.every((fault) => ran.faults.join('\n').includes(fault))).toBe(
    true,
  );
  if (faults.length === 0) expect(ran.faults).toEqual([]);
});

test('a stream goes on in the background, and one that ends by itself is a fault', async () => {
  const ran = await shell.run(`curl -N ${url}/stream\ncurl -N ${url}/refused`);
  expect(ran.output()).toContain('first');
  expect(await shell.expand('is $url')).toBe(`is ${url}`);
  expect(await shell.close()).toEqual([expect.stringContaining('/refused --no-progress-meter ended by itself with 0')]);
});

test.each([
  ['"a": 1', '{"a":1,"b":2}', true],
  ['"a": 1 … "c": 3', '{"a":1,"b":2,"c":3}', true],
  ['"a": 1 … "a": 1', '{"a":1,"b":2}', false],
  ['a.c', 'abc', false],
])('%s is shown in %s: %s', (shown, output, is) => {
  expect(isShown(shown, output)).toBe(is);
});
