// The dashboard in a real browser: the page as it is built, served by a core of the test.
import { SessionCodeResult } from '@hypercode/contracts';
import { startTestCore, type TestCore, type TestCoreOptions } from '@hypercode/core-runtime/testing';
import { findChromium, temporaryFolder } from '@hypercode/testkit';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { onTestFinished } from 'vitest';

/** The page may have to be built, and a browser to be installed. */
export const START_LIMIT_MS = 300_000;

export interface Dashboard {
  readonly core: TestCore;
  readonly browser: Browser;
  /** The folder of the built page. */
  readonly ui: string;
  /** A page of a browser that has not signed in. It ends with the test, which fails when the page broke a rule of the core for it. */
  openPage(): Promise<Page>;
  /** A link that signs in with the rights of `token`. */
  link(token: string, at?: TestCore): Promise<string>;
  /** A page that has signed in with the rights of `token`, and shows the screen at `path`. */
  open(path: string, token: string, at?: TestCore): Promise<Page>;
  close(): Promise<void>;
}

/** Builds the page into a folder as users have it: with the NODE_ENV of a test, React would be the one for development. */
async function buildPage(outDir: string): Promise<void> {
  const root = fileURLToPath(new URL('../../apps/dashboard/', import.meta.url));
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    await build({ root, logLevel: 'silent', build: { outDir, reportCompressedSize: false } });
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

/** Builds the page, and starts a core that serves it. Default: with bookmarks that come twice a second. */
export async function startDashboard(options: TestCoreOptions = { bookmarkIntervalMs: 500 }): Promise<Dashboard> {
  const folder = temporaryFolder('dashboard');
  const ui = join(folder.path, 'dist');
  await buildPage(ui);
  const core = await startTestCore({ ui, ...options });
  // A sandbox of the system is not there for root.
  const browser: Browser = await chromium.launch({ executablePath: await findChromium(), chromiumSandbox: false });

  const openPage = async (): Promise<Page> => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    page.on('pageerror', (error) => refused.push(String(error)));
    onTestFinished(async () => {
      await context.close();
      if (refused.length > 0) throw new Error(refused.join('\n'));
    });
    return page;
  };
  const link = async (token: string, at = core): Promise<string> => {
    const answer = await at.fetch('/v1/session/code', { method: 'POST', token });
    return SessionCodeResult.parse(await answer.json()).url;
  };
  return {
    core,
    browser,
    ui,
    openPage,
    link,
    async open(path, token, at = core) {
      const page = await openPage();
      const { hash } = new URL(await link(token, at));
      await page.goto(`${at.url}${path}${hash}`);
      await page.getByRole('navigation', { name: 'Screens' }).waitFor();
      return page;
    },
    async close() {
      await browser.close();
      await core.close();
      await folder.remove();
    },
  };
}
