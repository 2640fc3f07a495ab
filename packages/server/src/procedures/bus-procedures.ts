// The bus' procedures: each makes the token a caller of the bus, calls the bus, and maps the result.
import { RefusedEvent } from '@hypercode/bus';
import { type Api, invalidInput, knownFieldsOf, LIMITS, PublishInput } from '@hypercode/contracts';
import { callerKey } from '../allowances/allowances.ts';
import { AnswerRoom } from '../outgoing/answer-memory.ts';
import { busCallerOf } from './bus-caller.ts';
import { waitWhileAlive, whileAlive } from './call-life.ts';
import type { Handlers } from './handler.ts';
import { type IgnoredNames, issuesOfUnknown } from './unknown-fields.ts';

const FIELDS_OF_EVENT = knownFieldsOf(PublishInput);

/** The schema of a list does not look into its events, since each is refused by itself. */
function withKnownFields(event: unknown, ignored: IgnoredNames | null): unknown {
  if (event instanceof RefusedEvent) return event;
  const issues = issuesOfUnknown(event, FIELDS_OF_EVENT, ignored);
  return issues.length === 0 ? event : new RefusedEvent(event, invalidInput({ issues }));
}

/** Of a caller that leaves the deadline of deliveries to the group: that of most groups, in milliseconds. */
const STALL_LIMIT_MS = 30_000;

export const busProcedures: Handlers<Api['bus']> = {
  publish: ({ core, identity }, { namespace, ...event }) => core.bus.publish(busCallerOf(identity), namespace, event),

  async publishMany({ core, identity, ignoredNames }, { namespace, events }) {
    const known = events.map((event) => withKnownFields(event, ignoredNames));
    const result = await core.bus.publishMany(busCallerOf(identity), namespace, known);
    for (const one of result.results) if ('error' in one) core.onRefusal(one.error);
    return result;
  },

  async *subscribe(call, input) {
    const caller = busCallerOf(call.identity);
    yield* whileAlive(call, input.topics.length, ({ signal }) => call.core.bus.subscribe(caller, input, signal));
  },

  read: ({ core, identity }, input) => core.bus.read(busCallerOf(identity), input),

  find: ({ core, identity }, input) => core.bus.find(busCallerOf(identity), input),
  trace: ({ core, identity }, input) => core.bus.trace(busCallerOf(identity), input),

  async preview({ core, identity }, { namespace, topic, name }) {
    const caller = busCallerOf(identity);
    const publisher = name ?? (caller.kind === 'agent' ? caller.name : null);
    if (publisher === null) return core.bus.preview(caller, { namespace, topic, publisher });
    const { role, status } = await core.registry.queries.get({ namespace, name: publisher }, { details: false });
    const agent = { name: publisher, role, circuit: status.circuit };
    return core.bus.preview(caller, { namespace, topic, publisher: agent });
  },

  async *consume(call, input) {
    // Deliveries that a connection does not take are of use to another member.
    call.limitStall(input.ackDeadlineMs ?? STALL_LIMIT_MS);
    const caller = busCallerOf(call.identity);
    yield* whileAlive(call, input.topics?.length ?? 1, (end) => call.core.bus.consume(caller, input, end));
  },

  claim(call, input) {
    call.limitStall(input.ackDeadlineMs ?? STALL_LIMIT_MS);
    const caller = busCallerOf(call.identity);
    const room = new AnswerRoom(call.core.gate.memory, callerKey(call.identity.principal), LIMITS.pageBytes);
    return waitWhileAlive(call, (end) => call.core.bus.claim(caller, input, end, room)).finally(() =>
      call.outgoing.hold(() => room.leave()),
    );
  },

  ack: async ({ core, identity }, { namespace, group, deliveryIds }) => ({
    settled: await core.bus.ack(busCallerOf(identity), namespace, group, deliveryIds),
  }),

  nack: async ({ core, identity }, input) => ({ settled: await core.bus.nack(busCallerOf(identity), input) }),

  extend: ({ core, identity }, input) => core.bus.extend(busCallerOf(identity), input),

  deadLetters: ({ core, identity }, input) => core.bus.deadLetters(busCallerOf(identity), input),

  redrive: ({ core, identity }, input) => core.bus.redrive(busCallerOf(identity), input),

  discard: ({ core, identity }, input) => core.bus.discard(busCallerOf(identity), input),

  topics: ({ core }, input) => core.bus.topics(input),

  groups: ({ core, identity }, input) => core.bus.groups(busCallerOf(identity), input),
};
