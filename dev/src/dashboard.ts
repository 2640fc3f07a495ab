// The dashboard of `pnpm dev`: its build, and links that sign in.
import { join } from 'node:path';
import { z } from 'zod';
import type { Program } from './child.ts';

const Link = z.object({ url: z.string() });

/** What builds the page, when its sources have changed. */
export function buildOf(root: string): Program {
  const { PATH, HOME } = process.env;
  const cwd = join(root, 'apps/dashboard');
  return { name: 'dashboard', command: process.execPath, args: ['build-when-changed.ts'], cwd, env: { PATH, HOME } };
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
