// The dashboard of `pnpm dev`: builds the page when its sources have changed, and makes links that sign in.
import { globSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import type { Program } from './child.ts';

/** What the page is built from. */
const SOURCES = ['apps/dashboard/{src,public}/**', 'apps/dashboard/*.*', 'packages/{client,clock,contracts}/src/**'];
const BUILT = 'apps/dashboard/dist/index.html';
const Link = z.object({ url: z.string() });

/** What builds the page; null when it is newer than its sources. */
export function buildOf(root: string): Program | null {
  const builtAt = statSync(join(root, BUILT), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = globSync(SOURCES, { cwd: root }).some((path) => statSync(join(root, path)).mtimeMs > builtAt);
  if (!changed) return null;
  const cwd = join(root, 'apps/dashboard');
  const manifest = createRequire(join(cwd, 'package.json')).resolve('vite/package.json');
  const args = [join(manifest, '../bin/vite.js'), 'build', '--logLevel', 'warn'];
  const { PATH, HOME } = process.env;
  return { name: 'dashboard', command: process.execPath, args, cwd, env: { PATH, HOME } };
}

/** A link that signs a browser in with the rights of `token`, once, within two minutes. */
export async function makeLink(core: string, token: string): Promise<string> {
  const answer = await fetch(`${core}/v1/session/code`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`the core answered ${answer.status}`);
  return Link.parse(await answer.json()).url;
}
