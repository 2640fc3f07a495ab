// Sessions on two cores of one database: signed in at one, known at both, and ended for both.
import { SessionCodeResult } from '@hypercode/contracts';
import { freshDatabase, waitFor } from '@hypercode/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';
import { type BrowserSession, send, signIn, withKey } from './browser.ts';

test(
  'a link of one core signs in at the other, and a session that ends at one ends at both',
  async () => {
    const databaseUrl = await freshDatabase();
    const options = { databaseUrl, adminToken: 'the-admin-token', publicUrl: 'https://swarm.example.com' };
    const [here, there] = await Promise.all([startTestCore(options), startTestCore(options)]);
    onTestFinished(async () => void (await Promise.all([here.close(), there.close()])));

    const page = { host: 'swarm.example.com', origin: 'https://swarm.example.com' };
    const link = async (core: TestCore): Promise<string> => {
      const answer = await core.fetch('/v1/session/code', { method: 'POST' });
      return new URL(SessionCodeResult.parse(await answer.json()).url).hash.slice('#code='.length);
    };
    const status = async (core: TestCore, session: BrowserSession) =>
      (await send(core, '/v1/agents', { headers: withKey(session) })).status;

    const code = await link(here);
    const session = await signIn(there, { code }, page);
    await expect(signIn(here, { code }, page)).rejects.toThrow('UNAUTHENTICATED');
    expect([await status(here, session), await status(there, session)]).toEqual([200, 200]);

    const answer = await send(here, '/v1/session', { method: 'DELETE', headers: withKey(session) });
    expect(answer.status).toBe(204);
    expect(await status(here, session)).toBe(401);
    await waitFor(async () => (await status(there, session)) === 401, { what: 'the end at the other core' });

    const { id, token } = (await (
      await here.fetch('/v1/tokens', { method: 'POST', json: { kind: 'viewer', name: 'v' }, namespace: 'default' })
    ).json()) as { id: string; token: string };
    const viewer = await signIn(here, { token }, page);
    expect([await status(here, viewer), await status(there, viewer)]).toEqual([200, 200]);
    await there.fetch(`/v1/tokens/${id}`, { method: 'DELETE', namespace: 'default' });
    await waitFor(async () => (await status(here, viewer)) === 401, { what: 'the end of the token' });
  },
  START_TIMEOUT_MS,
);
