// The client in Chromium, on a page of another origin than the core's. Over HTTP/1.1 a browser has six connections to an address.
import { startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { findChromium } from '@hypercode/testkit';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { measure as measureInPage } from './browser-page.ts';

/** A browser may have to be installed. */
const START_LIMIT_MS = 300_000;

let pages: Server;
let origin: string;
let core: TestCore;
let browser: Browser;

beforeAll(async () => {
  const script = await bundle();
  pages = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><title>test</title><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  core = await startTestCore({ corsOrigins: [origin] });
  // A sandbox of the system is not there for root.
  browser = await chromium.launch({ executablePath: await findChromium(), chromiumSandbox: false });
}, START_LIMIT_MS);

afterAll(async () => {
  await browser?.close();
  await core?.close();
  pages?.closeAllConnections();
  await new Promise((resolve) => pages?.close(resolve));
});

async function bundle(): Promise<string> {
  const input = fileURLToPath(new URL('browser-page.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, target: 'esnext', rolldownOptions: { input, output: { codeSplitting: false } } },
  });
  const [first] = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
  if (first?.type !== 'chunk') throw new Error('no bundle of the page');
  return first.code;
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

test('twenty subscriptions and a directory share one connection, and leave queries at their speed', async () => {
  const page = await browser.newPage();
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(origin);
  await page.waitForFunction(() => 'measure' in globalThis);
  const { before, beside, received, agents } = await page.evaluate(
    ([url, token]) => (globalThis as unknown as { measure: typeof measureInPage }).measure(url, token),
    [core.url, core.adminToken] as const,
  );
  expect(received).toEqual(received.map((_, index) => [index, 'everyone']));
  expect(agents).toEqual(['ada']);
  expect(sockets).toEqual([`${core.url.replace('http', 'ws')}/trpc?connectionParams=1`]);
  // A query that waits for one of six connections that streams keep waits for ever.
  expect(medianOf(beside)).toBeLessThan(medianOf(before) * 5 + 100);
});
