// What the suites share that steer one consumer group on several replicas.
import type { Signal } from '@hypercode/feed';
import { SwarmError } from '@hypercode/contracts';
import { expect } from 'vitest';
import type { BusCaller } from '../../src/admission/caller.ts';
import type { Bus } from '../../src/bus.ts';
import { type BusFixture, NO_TOKEN_ENDS, OPERATOR, until } from './bus-fixture.ts';

export const GROUP = 'crew';

export function steeredGroup(t: BusFixture) {
  const { agent, groupInput, consume, replica } = t;
  const place = () => ({ namespace: t.namespace, group: GROUP });
  const claim = (bus: Bus, more: object = {}, by: BusCaller = agent('py')) =>
    bus.claim(by, { ...groupInput(), consumer: 'py', max: 100, waitMs: 0, ...more }, NO_TOKEN_ENDS);
  const claimed = async (bus: Bus, more: object = {}) =>
    (await claim(bus, more)).deliveries.map(({ event }) => event.data);
  const figures = async (bus: Bus) =>
    (await bus.listGroups(OPERATOR, t.namespace)).find(({ group }) => group === GROUP);
  const refusalOf = (call: Promise<unknown>): Promise<SwarmError> =>
    call.then(
      () => {
        throw new Error('the call was not refused');
      },
      (error: unknown) => SwarmError.from(error),
    );
  /** One that follows the log, and that no notification about a group reaches. */
  function deafReplica(): Promise<Bus> {
    const whole = t.backend.signal();
    t.stack.push(() => whole.close());
    const signal: Signal = {
      notify: (channel, except) => whole.notify(channel, except),
      subscribe: (channel, listener) =>
        channel.startsWith('bus-group:') ? () => undefined : whole.subscribe(channel, listener),
      onLinked: (listener) => whole.onLinked(listener),
      linked: true,
      close: async () => undefined,
    };
    return replica({ signal });
  }
  /** Waits while time passes: a replica that has subscribed to notifications a moment ago may miss one, and checks a little later. */
  const soon = <T>(condition: () => T) =>
    until(() => {
      t.clock.advance(250);
      return condition();
    });
  const delivered = (count: number, ...members: ReturnType<typeof consume>[]) =>
    soon(() => {
      const deliveries = members.flatMap((member) => member.of('delivery'));
      expect(deliveries).toHaveLength(count);
      return deliveries;
    });
  return { place, claim, claimed, figures, refusalOf, deafReplica, soon, delivered };
}
