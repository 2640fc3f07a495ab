// A watch event is known by its type.
import { expectTypeOf, test } from 'vitest';
import type { Agent, ChangeType, WatchEvent } from './index.ts';

type Of<T extends WatchEvent['type']> = Extract<WatchEvent, { type: T }>;

test('there are four, and each carries its own', () => {
  expectTypeOf<WatchEvent['type']>().toEqualTypeOf<'snapshot' | 'synced' | 'change' | 'bookmark'>();
  expectTypeOf<Of<'snapshot'>>().toEqualTypeOf<{
    type: 'snapshot';
    revision: number;
    agents: Agent[];
    reset: boolean;
  }>();
  expectTypeOf<Of<'synced'>>().toEqualTypeOf<{ type: 'synced'; revision: number }>();
  expectTypeOf<Of<'change'>>().toEqualTypeOf<{
    type: 'change';
    revision: number;
    change: 'registered' | 'updated' | 'status' | 'deregistered' | 'expired' | 'left';
    agent: Agent;
    at: string;
  }>();
  expectTypeOf<Of<'bookmark'>>().toEqualTypeOf<{ type: 'bookmark'; revision: number }>();
});

test('`left` is received by watchers and never stored', () => {
  expectTypeOf<Exclude<Of<'change'>['change'], ChangeType>>().toEqualTypeOf<'left'>();
});

test('a switch over the type narrows', () => {
  const agentsOf = (event: WatchEvent): Agent[] => {
    switch (event.type) {
      case 'snapshot':
        return event.agents;
      case 'change':
        return [event.agent];
      case 'synced':
      case 'bookmark':
        // @ts-expect-error they carry no agents
        return event.agents;
    }
  };
  expectTypeOf(agentsOf).returns.toEqualTypeOf<Agent[]>();
});
