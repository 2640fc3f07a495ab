// What each command does to an agent: every outcome, and what holds for all registrations and updates.
import type { AgentRegistration, AgentUpdate, TokenRoles } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentDocument } from '../documents/agent-row.ts';
import { type Command, type Decision, decide as decideUnder } from './decide.ts';
import {
  documentOf,
  agents,
  INCARNATIONS,
  registrationOf,
  registrations,
  updates,
} from '../../test/agents/sample-agents.ts';

/** Of a name that no operator has tripped. */
const decide = (current: AgentDocument | null, command: Command): Decision => decideUnder(current, command, null);

const [FIRST, SECOND] = INCARNATIONS;
const NEW_ID = '019adf00-0000-7000-8000-00000000ffff';

type RegisterCommand = Extract<Command, { kind: 'register' }>;
const registerWith = (registration: AgentRegistration, more: Partial<RegisterCommand>): Command => ({
  kind: 'register',
  registration,
  superseded: false,
  mayCreate: true,
  replaces: '*',
  lapsed: false,
  registeredBy: 'token',
  ownNamesOnly: false,
  owner: null,
  newId: NEW_ID,
  ...more,
});
const register = (registration: AgentRegistration, superseded = false, mayCreate = true): Command =>
  registerWith(registration, { superseded, mayCreate });
const update = (set: AgentUpdate, ifRevision?: number): Command => ({ kind: 'update', name: 'ada', set, ifRevision });
const deregister: Command = { kind: 'deregister', name: 'ada', reason: 'done' };

/** The decision in short: what a table can say. */
function shortly(decision: Decision): string {
  if (decision.outcome === 'refused') return decision.error.code;
  return decision.outcome === 'change' ? decision.change : decision.outcome;
}

/** The agent as the commit of the decision leaves it. */
function committed(decision: Decision, revision: number): AgentDocument {
  if (decision.outcome === 'refused') throw decision.error;
  if (decision.outcome !== 'change') return decision.agent;
  const specRevision = decision.specChanged ? revision : decision.agent.specRevision;
  return { ...decision.agent, revision, specRevision };
}

const ada = documentOf({ incarnation: FIRST, specRevision: 3, revision: 5 });
const registered = registrationOf({ incarnation: FIRST });
type StatusCommand = Extract<Command, { kind: 'status' }>;
const statusOf = (set: StatusCommand['set'], more: Partial<StatusCommand> = {}): StatusCommand => ({
  kind: 'status',
  name: 'ada',
  agentId: ada.id,
  incarnation: FIRST,
  set,
  seen: true,
  ...more,
});
const seenAt = (at: string): AgentDocument => documentOf({ ...ada, status: { ...ada.status, lastSeenAt: at } });
const LATER = '2026-01-01T00:00:10.000Z';

describe('every outcome', () => {
  test.each<[string, AgentDocument | null, Command, string]>([
    ['register a free name', null, register(registered), 'registered'],
    ['register the same again', ada, register(registered), 'unchanged'],
    ['register the same without an incarnation', ada, register(registrationOf()), 'unchanged'],
    ['register with a null incarnation', ada, register(registrationOf({ incarnation: null })), 'unchanged'],
    ['register another version', ada, register(registrationOf({ version: '2.0.0', incarnation: FIRST })), 'updated'],
    ['register with null for what was left out', ada, register({ ...registered, description: null }), 'unchanged'],
    ['register without what was there', documentOf({ description: 'x' }), register(registrationOf()), 'updated'],
    [
      'register another role',
      ada,
      register(registrationOf({ role: 'planner', incarnation: FIRST })),
      'IMMUTABLE_FIELD',
    ],
    ['take over', ada, register(registrationOf({ incarnation: SECOND })), 'updated'],
    ['take over where no incarnation was named', documentOf(), register(registered), 'updated'],
    [
      'take over with another role',
      ada,
      register(registrationOf({ role: 'planner', incarnation: SECOND })),
      'IMMUTABLE_FIELD',
    ],
    ['register when superseded', ada, register(registrationOf({ incarnation: SECOND }), true), 'FENCED'],
    ['register a free name when superseded', null, register(registered, true), 'FENCED'],
    ['register another role when superseded', ada, register(registrationOf({ role: 'planner' }), true), 'FENCED'],
    ['register a free name without a use left', null, register(registered, false, false), 'FORBIDDEN'],
    ['register again without a use left', ada, register(registered, false, false), 'unchanged'],
    ['register when superseded without a use left', null, register(registered, true, false), 'FENCED'],
    ['update a field', ada, update({ version: '2.0.0' }), 'updated'],
    ['update to the same', ada, update({ version: '1.0.0' }), 'unchanged'],
    ['update nothing', ada, update({}), 'unchanged'],
    ['update an absent agent', null, update({ version: '2.0.0' }), 'NOT_FOUND'],
    ['update an absent agent at a revision', null, update({ version: '2.0.0' }, 3), 'NOT_FOUND'],
    ['update the role', ada, update({ role: 'planner' }), 'IMMUTABLE_FIELD'],
    ['update the name', ada, update({ name: 'eve' }), 'IMMUTABLE_FIELD'],
    ['update the namespace', ada, update({ namespace: 'other' }), 'IMMUTABLE_FIELD'],
    ['update naming what is there', ada, update({ role: 'coder', name: 'ada', namespace: 'default' }), 'unchanged'],
    ['update at the revision of the registration', ada, update({ version: '2.0.0' }, 3), 'updated'],
    ['update at the revision of the record', ada, update({ version: '2.0.0' }, 5), 'CONFLICT'],
    ['update at an older revision, even to the same', ada, update({}, 2), 'CONFLICT'],
    ['update the role at an older revision', ada, update({ role: 'planner' }, 2), 'CONFLICT'],
    ['deregister', ada, deregister, 'deregistered'],
    ['deregister an absent agent', null, deregister, 'NOT_FOUND'],
    ['report an activity', ada, statusOf({ activity: 'busy' }), 'status'],
    ['report the same activity', ada, statusOf({ activity: 'ready' }), 'unchanged'],
    ['report for an earlier agent', ada, statusOf({ activity: 'busy' }, { agentId: NEW_ID }), 'NOT_FOUND'],
    ['become healthy', ada, statusOf({ health: 'healthy' }), 'status'],
    ['trip', ada, statusOf({ circuit: 'open', reason: 'four failures' }), 'status'],
    ['count without consequence', ada, statusOf({ consecutiveFailures: 2, reason: 'slow' }), 'unchanged'],
    ['be judged as another process', ada, statusOf({ health: 'unhealthy' }, { incarnation: SECOND }), 'unchanged'],
    [
      'be judged though it was seen since',
      seenAt(LATER),
      statusOf({ health: 'unhealthy' }, { unlessSeenAfter: Date.parse(LATER) - 1 }),
      'unchanged',
    ],
    [
      'be judged and not seen since',
      seenAt(LATER),
      statusOf({ health: 'unhealthy' }, { unlessSeenAfter: Date.parse(LATER) }),
      'status',
    ],
    [
      'expire',
      seenAt(LATER),
      { kind: 'expire', name: 'ada', agentId: ada.id, reason: 'silent', unlessSeenAfter: Date.parse(LATER) },
      'expired',
    ],
    [
      'expire though it was seen since',
      seenAt(LATER),
      { kind: 'expire', name: 'ada', agentId: ada.id, reason: 'silent', unlessSeenAfter: 0 },
      'unchanged',
    ],
    ['report for an absent agent', null, statusOf({ activity: 'busy' }), 'NOT_FOUND'],
  ])('%s', (_, current, command, expected) => {
    expect(shortly(decide(current, command))).toBe(expected);
  });

  test.each(['role', 'name', 'namespace'] as const)('a refusal to change the %s names it', (field) => {
    const decision = decide(ada, update({ [field]: 'other' }));
    expect(decision).toMatchObject({ outcome: 'refused', error: { details: { field } } });
  });

  test('a new agent begins with a new id and nothing known of its health', () => {
    const decision = decide(null, register(registrationOf({ labels: { team: 'a' }, incarnation: FIRST })));
    expect(decision).toMatchObject({
      specChanged: true,
      agent: { id: NEW_ID, labels: { team: 'a' }, incarnation: FIRST, description: null, status: documentOf().status },
    });
  });

  test('a takeover keeps the id and forgets the status of the process before', () => {
    const failing = {
      ...ada.status,
      health: 'unhealthy',
      activity: 'paused',
      circuit: 'open',
      consecutiveFailures: 4,
    } as const;
    const decision = decide(documentOf({ ...ada, status: failing }), register(registrationOf({ incarnation: SECOND })));
    expect(decision).toMatchObject({ agent: { id: ada.id, incarnation: SECOND, status: documentOf().status } });
  });

  test('a change by the same process keeps the status', () => {
    const busy = documentOf({ ...ada, status: { ...ada.status, activity: 'busy' } });
    expect(decide(busy, update({ version: '2.0.0' }))).toMatchObject({ agent: { status: busy.status } });
    expect(decide(busy, register({ ...registered, version: '2.0.0' }))).toMatchObject({
      agent: { status: busy.status },
    });
  });

  test('an update with null clears a field, and a field that is left out stays', () => {
    const described = documentOf({ description: 'x', healthUrl: 'http://10.0.0.1/', labels: { team: 'a' } });
    const decision = decide(described, update({ description: null }));
    expect(decision).toMatchObject({
      agent: { description: null, healthUrl: 'http://10.0.0.1/', labels: { team: 'a' } },
    });
  });

  test('a status change is no change of the registration', () => {
    const decision = decide(ada, statusOf({ activity: 'busy' }));
    expect(decision).toMatchObject({ specChanged: false, agent: { status: { activity: 'busy' } } });
  });

  test('a removal keeps the last state and gives the reason', () => {
    expect(decide(ada, deregister)).toMatchObject({ specChanged: false, agent: { status: { reason: 'done' } } });
  });

  test('minus zero in a schema is stored as zero, and so is no change', () => {
    const stored = documentOf({ capabilities: [{ id: 'plan', inputSchema: { minimum: 0 } }] });
    const given = registrationOf({ capabilities: [{ id: 'plan', inputSchema: { minimum: -0 } }] });
    expect(shortly(decide(stored, register(given)))).toBe('unchanged');
  });
});

describe('for all agents', () => {
  const documents = agents.map((agent) => documentOf({ ...agent, leaseMs: null }));
  const free = fc.constant(null);

  test('registering the same twice changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.oneof(free, agents), registrations, (current, registration) => {
        const first = decide(current, register(registration));
        if (first.outcome === 'refused') return;
        const agent = committed(first, 9);
        expect(decide(agent, register(registration))).toEqual({ outcome: 'unchanged', agent });
      }),
    );
  });

  test('updating the same twice changes nothing the second time', () => {
    fc.assert(
      fc.property(documents, updates, (current, set) => {
        const first = decide(current, update(set));
        if (first.outcome === 'refused') return;
        const agent = committed(first, 9);
        expect(decide(agent, update(set))).toEqual({ outcome: 'unchanged', agent });
      }),
    );
  });

  test('the identity of an agent never changes', () => {
    fc.assert(
      fc.property(
        agents,
        fc.oneof(
          registrations.map((r) => register(r)),
          updates.map((set) => update(set)),
        ),
        (current, command) => {
          const decision = decide(current, command);
          if (decision.outcome === 'refused') return;
          const { id, namespace, name, role, registeredAt } = current;
          expect(decision.agent).toMatchObject({ id, namespace, name, role, registeredAt });
        },
      ),
    );
  });

  test('the order of capabilities and patterns means nothing', () => {
    const shuffled = documents.chain((agent) => {
      const { topics, capabilities } = agent;
      const any = <T>(list: T[]) => fc.shuffledSubarray(list, { minLength: list.length });
      return fc.record({
        current: fc.constant(agent),
        topics: fc.record({ publishes: any(topics.publishes), subscribes: any(topics.subscribes) }),
        capabilities: any(capabilities),
      });
    });
    fc.assert(
      fc.property(shuffled, ({ current, ...same }) => {
        const { role, version, description, healthUrl, labels } = current;
        const registration = registrationOf({ role, version, description, healthUrl, labels, ...same });
        expect(shortly(decide(current, register(registration)))).toBe('unchanged');
        expect(shortly(decide(current, update(same)))).toBe('unchanged');
      }),
    );
  });

  test('every call of a superseded process is refused', () => {
    fc.assert(
      fc.property(fc.oneof(free, agents), registrations, (current, registration) => {
        expect(shortly(decide(current, register(registration, true)))).toBe('FENCED');
      }),
    );
  });

  test('a takeover, and nothing else, resets the status', () => {
    fc.assert(
      fc.property(documents, registrations, (current, registration) => {
        const decision = decide(current, register(registration));
        if (decision.outcome === 'refused') return;
        const { incarnation } = registration;
        const takesOver = incarnation != null && incarnation !== current.incarnation;
        expect(decision.agent.status).toEqual(takesOver ? documentOf().status : current.status);
        expect(decision.agent.incarnation).toBe(incarnation ?? current.incarnation);
      }),
    );
  });

  test('the state that a decision is given is never modified', () => {
    fc.assert(
      fc.property(documents, registrations, updates, (current, registration, set) => {
        const before = structuredClone({ current, registration, set });
        decide(current, register(registration));
        decide(current, update(set));
        expect({ current, registration, set }).toEqual(before);
      }),
    );
  });
});

describe('a registration of another role', () => {
  const boss = registrationOf({ role: 'boss', incarnation: SECOND });
  const silent = documentOf({ ...ada, status: { ...ada.status, health: 'unhealthy' } });
  const roles: TokenRoles = ['boss', ada.role];

  test.each<[string, AgentDocument, Partial<RegisterCommand>, string]>([
    ['replaces an agent that is dead', silent, { lapsed: true, replaces: roles }, 'replace'],
    ['replaces it also with a token for all roles', silent, { lapsed: true }, 'replace'],
    ['does not replace a healthy agent', ada, { lapsed: true }, 'IMMUTABLE_FIELD'],
    ['does not replace one within its lease or with a stream', silent, { lapsed: false }, 'IMMUTABLE_FIELD'],
    ['needs a token for the role of the agent', silent, { lapsed: true, replaces: ['boss'] }, 'IMMUTABLE_FIELD'],
    ['needs a token for the new role', silent, { lapsed: true, replaces: [ada.role] }, 'IMMUTABLE_FIELD'],
    ['needs a use of its token', silent, { lapsed: true, mayCreate: false }, 'FORBIDDEN'],
    ['of a superseded process is fenced', silent, { lapsed: true, superseded: true }, 'FENCED'],
  ])('%s', (_, current, more, expected) => {
    expect(shortly(decide(current, registerWith(boss, more)))).toBe(expected);
  });

  test('says in the refusal which role the name has and what to do', () => {
    const decision = decide(ada, registerWith(boss, {}));
    const error = decision.outcome === 'refused' ? decision.error : null;
    expect(error?.details).toEqual({ field: 'role' });
    expect(error?.message).toContain(`"${ada.role}"`);
    expect(error?.message).toContain('Deregister');
  });
});

describe('a token that reaches its own names only', () => {
  const silent = documentOf({ ...ada, status: { ...ada.status, health: 'unhealthy' } });
  const takeover = registrationOf({ incarnation: SECOND });
  const boss = registrationOf({ role: 'boss', incarnation: SECOND });
  const own = { ownNamesOnly: true } as const;
  const foreign = { ...own, owner: 'other' };
  const both = { replaces: [ada.role, 'boss'], lapsed: true };
  test.each<[string, AgentDocument | null, AgentRegistration, Partial<RegisterCommand>, string]>([
    ['registers a free name', null, registered, own, 'registered'],
    ['registers its own name again', ada, registered, { ...own, owner: 'token' }, 'unchanged'],
    ['takes over its own name', ada, takeover, { ...own, owner: 'token' }, 'updated'],
    ['registers a name of an unknown token', ada, registered, own, 'unchanged'],
    ['does not register a name of another token', ada, registered, foreign, 'FORBIDDEN'],
    ['does not take over a name of another token', ada, takeover, foreign, 'FORBIDDEN'],
    ['does not take over a dead name of another token', silent, takeover, { ...foreign, ...both }, 'FORBIDDEN'],
    ['learns no role of a name of another token', ada, boss, foreign, 'FORBIDDEN'],
    ['learns nothing of its processes', ada, takeover, { ...foreign, superseded: true }, 'FORBIDDEN'],
    ['replaces a dead agent when it is for both roles', silent, boss, { ...foreign, ...both }, 'replace'],
    ['is fenced on its own name', ada, takeover, { ...own, owner: 'token', superseded: true }, 'FENCED'],
  ])('%s', (_name, current, registration, more, outcome) => {
    expect(shortly(decide(current, registerWith(registration, more)))).toBe(outcome);
  });

  test('is refused with a message that the name belongs to another token, and what to do', () => {
    const decision = decide(ada, registerWith(takeover, foreign));
    if (decision.outcome !== 'refused') throw new Error(decision.outcome);
    expect(decision.error.message).toMatch(/"ada" belongs to another token.*Use another name/);
    expect(decision.error.message).not.toContain('other"');
    expect(decision.error.details).toBeUndefined();
  });

  test('stands back for a token that reaches every name', () => {
    expect(shortly(decide(ada, registerWith(takeover, { owner: 'other' })))).toBe('updated');
  });
});

describe('an agent of a tripped name', () => {
  const trip = { reason: 'runaway' };
  const open = { circuit: 'open', circuitOpenUntil: null, reason: 'runaway' };

  test.each<[string, AgentDocument | null, Command, string]>([
    ['is registered with an open circuit', null, register(registered), 'registered'],
    [
      'has an open circuit after a new process took over',
      ada,
      register(registrationOf({ incarnation: SECOND })),
      'updated',
    ],
    ['has an open circuit after an update', ada, update({ version: '2.0.0' }), 'updated'],
    ['is shown with an open circuit by any status', ada, statusOf({ activity: 'busy' }), 'status'],
    [
      'is shown with an open circuit by a status of a former process',
      ada,
      statusOf({}, { incarnation: SECOND }),
      'status',
    ],
    ['is shown with an open circuit by a registration that changes nothing', ada, register(registered), 'status'],
  ])('%s', (_, current, command, expected) => {
    const decision = decideUnder(current, command, trip);
    expect(shortly(decision)).toBe(expected);
    expect(decision).toMatchObject({ agent: { status: open } });
  });

  test('is shown with the operator’s reason, or with ours when there is none', () => {
    const decision = decideUnder(null, register(registered), { reason: null });
    expect(decision).toMatchObject({ agent: { status: { reason: 'tripped by an operator' } } });
  });

  test('is not changed by a status that would close its circuit, and is removed as any other', () => {
    const held = documentOf({ ...ada, status: { ...ada.status, circuit: 'open', reason: 'runaway' } });
    expect(decideUnder(held, statusOf({ circuit: 'closed' }), trip)).toEqual({ outcome: 'unchanged', agent: held });
    expect(decideUnder(held, deregister, trip)).toEqual(decide(held, deregister));
  });

  test('takes no command that is refused without a trip', () => {
    expect(shortly(decideUnder(null, deregister, trip))).toBe('NOT_FOUND');
    expect(shortly(decideUnder(ada, register(registered, true), trip))).toBe('FENCED');
  });
});
