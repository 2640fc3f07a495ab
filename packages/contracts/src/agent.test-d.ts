// The types of a registration, as given and as parsed, and of an agent.
import { expectTypeOf, test } from 'vitest';
import type { Agent, AgentRegistration, AgentRegistrationInput, Capability } from './index.ts';

type OptionalKeys<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? K : never }[keyof T];

test('only name, role and version must be given', () => {
  expectTypeOf<{ name: string; role: string; version: string }>().toExtend<AgentRegistrationInput>();
  expectTypeOf<OptionalKeys<AgentRegistrationInput>>().toEqualTypeOf<
    'namespace' | 'description' | 'healthUrl' | 'topics' | 'capabilities' | 'labels' | 'incarnation' | 'leaseMs'
  >();
  expectTypeOf<{ name: string; role: string }>().not.toExtend<AgentRegistrationInput>();
});

test('a capability is given as an id or an object, and read as an object', () => {
  expectTypeOf<(string | { id: string })[]>().toExtend<NonNullable<AgentRegistrationInput['capabilities']>>();
  expectTypeOf<AgentRegistration['capabilities']>().toExtend<Capability[]>();
  expectTypeOf<Agent['capabilities']>().toEqualTypeOf<Capability[]>();
  expectTypeOf<OptionalKeys<Capability>>().toEqualTypeOf<'description' | 'tags' | 'inputSchema' | 'outputSchema'>();
});

test('either way of declaring topics may be left out, and both are there when parsed', () => {
  expectTypeOf<{ publishes: string[] }>().toExtend<NonNullable<AgentRegistrationInput['topics']>>();
  expectTypeOf<AgentRegistration['topics']>().toEqualTypeOf<{ publishes: string[]; subscribes: string[] }>();
});

test('defaults are filled in', () => {
  expectTypeOf<OptionalKeys<AgentRegistration>>().toEqualTypeOf<
    'description' | 'healthUrl' | 'incarnation' | 'leaseMs'
  >();
});

test('an agent has every field, null where there is nothing', () => {
  expectTypeOf<OptionalKeys<Agent>>().toBeNever();
  expectTypeOf<Agent['description' | 'healthUrl' | 'incarnation']>().toEqualTypeOf<string | null>();
  expectTypeOf<Agent['status']>().toEqualTypeOf<{
    health: 'unknown' | 'healthy' | 'unhealthy';
    activity: 'ready' | 'busy' | 'waiting' | 'blocked' | 'draining' | 'paused';
    activitySince: string;
    note: string | null;
    circuit: 'closed' | 'open' | 'half_open';
    circuitOpenUntil: string | null;
    consecutiveFailures: number;
    lastSeenAt: string | null;
    reason: string | null;
  }>();
});
