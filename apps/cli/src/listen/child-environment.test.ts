import { describe, expect, test } from 'vitest';
import { childEnvironment } from './child-environment.ts';

const event = {
  id: '0190f1d2-0000-7000-8000-000000000001',
  topic: 'build.requested',
  data: { command: '$(reboot)' },
  time: '2026-03-01T12:00:00.000Z',
  namespace: 'default',
  source: '/agents/default/ada',
};
const own = {
  PATH: '/bin',
  HOME: '/home/ada',
  SWARM_TOKEN: 'secret',
  SWARM_ADMIN_TOKEN: 'secret',
  swarm_token: 'secret',
  SWARM_EVENT_ID: 'old',
  TRACEPARENT: 'old',
  GONE: undefined,
};

describe('the environment of a command', () => {
  test('has nothing of the swarm but what names the event', () => {
    expect(childEnvironment(own, { position: '1-7', event }, null)).toEqual({
      PATH: '/bin',
      HOME: '/home/ada',
      SWARM_EVENT_ID: event.id,
      SWARM_TOPIC: 'build.requested',
      SWARM_POSITION: '1-7',
    });
  });

  test('has the trace of the event', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const environment = childEnvironment(own, { position: '1-7', event: { ...event, traceparent } }, null);
    expect(environment['TRACEPARENT']).toBe(traceparent);
  });

  test('has the token only when it is asked to pass it', () => {
    const passed = { url: 'http://127.0.0.1:7700', token: 'swarm-token', namespace: 'default' };
    expect(childEnvironment(own, { position: '1-7', event }, passed)).toMatchObject({
      SWARM_URL: passed.url,
      SWARM_TOKEN: passed.token,
      SWARM_NAMESPACE: 'default',
    });
  });
});
