// An agent that joined on one replica acts on every other, also after a restart, until it has left or its token is revoked.
import { freshDatabase, waitFor } from '@hypercode/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore } from '../../testing/core.ts';
import { connectMcp } from './mcp-client.ts';

const codeOf = ({ data }: { data: { error?: { code: string } } }): string | undefined => data.error?.code;

test(
  'an agent that joined on one replica acts on another, and ends on both',
  async () => {
    const settings = { databaseUrl: await freshDatabase(), adminToken: 'the-admin-token' };
    const [here, there] = await Promise.all([startTestCore(settings), startTestCore(settings)]);
    onTestFinished(async () => void (await Promise.all([here.close(), there.close()])));
    const made = await here.fetch('/v1/tokens', {
      method: 'POST',
      json: { kind: 'join', name: 'for-models', roles: ['worker'] },
    });
    const { id, token } = (await made.json()) as { id: string; token: string };
    const [first, second] = [await connectMcp(here, token), await connectMcp(there, token)];

    await first.call('join', { name: 'roamer', role: 'worker' });
    expect(await second.call('whoami', { as: 'roamer' })).toMatchObject({ data: { kind: 'agent' } });
    const topic = 'agent.roamer.inbox.note';
    expect(await second.call('publish', { as: 'roamer', topic, data: 1 })).toMatchObject({ isError: false });

    await first.call('leave', { as: 'roamer' });
    expect(codeOf(await first.call('whoami', { as: 'roamer' }))).toBe('FORBIDDEN');
    await waitFor(async () => codeOf(await second.call('whoami', { as: 'roamer' })) === 'FORBIDDEN', {
      what: 'its end on the other replica',
    });

    await second.call('join', { name: 'roamer', role: 'worker' });
    expect(await first.call('whoami', { as: 'roamer' })).toMatchObject({ isError: false });
    const later = await startTestCore(settings);
    onTestFinished(() => later.close());
    const third = await connectMcp(later, token);
    expect(await third.call('whoami', { as: 'roamer' })).toMatchObject({ isError: false });

    await there.fetch(`/v1/tokens/${id}`, { method: 'DELETE' });
    await waitFor(
      () =>
        first.call('whoami', { as: 'roamer' }).then(
          () => false,
          () => true,
        ),
      { what: 'the end of the token on the other replica' },
    );
  },
  START_TIMEOUT_MS,
);
