// What a command does to an agent: a pure function of the agent as it stands and the command. No clock, no store.
import {
  type Agent,
  type AgentRegistration,
  type AgentUpdate,
  type ChangeType,
  SwarmError,
  type TokenRoles,
} from '@hypercode/contracts';
import { isDeepStrictEqual } from 'node:util';
import { isRemoval } from '../changes/change.ts';
import type { AgentDocument } from '../documents/agent-row.ts';
import { type Trip, trippedStatus } from '../documents/trip.ts';

export type Command =
  | {
      kind: 'register';
      registration: AgentRegistration;
      /** Whether a newer process has taken over from the one that registers. */
      superseded: boolean;
      /** Whether the caller's token is good for a new agent. */
      mayCreate: boolean;
      /** The roles of which the caller may put another agent in the place of a dead one. */
      replaces: TokenRoles;
      /** Id of the caller's token. */
      registeredBy: string;
      /** Whether the token may register only names that are free, and names that it has registered itself. */
      ownNamesOnly: boolean;
      /** Id of the token that registered the agent; null when that is unknown, or the name is free. */
      owner: string | null;
      /** Whether the agent that has the name is past its lease and has no open stream. */
      lapsed: boolean;
      newId: string;
    }
  | { kind: 'update'; name: string; set: AgentUpdate; ifRevision: number | undefined }
  | { kind: 'deregister'; name: string; reason: string | undefined }
  | {
      /** What a heartbeat reports, or liveness has found. It applies to one process of the agent only. */
      kind: 'status';
      name: string;
      agentId: string;
      incarnation: string | null;
      set: Partial<Omit<Agent['status'], 'lastSeenAt'>>;
      /** Whether it is a sign of life of the agent itself. */
      seen: boolean;
      /** Nothing is done when the agent was seen after this, in milliseconds since the epoch. */
      unlessSeenAfter?: number;
    }
  | { kind: 'expire'; name: string; agentId: string; reason: string; unlessSeenAfter: number };

/**
 * What becomes of a command. `agent` carries the state to store; `revision`, `updatedAt` and whatever else the commit
 * assigns are filled in by it.
 */
export type Decision =
  | { outcome: 'unchanged'; agent: AgentDocument }
  | { outcome: 'change'; change: ChangeType; agent: AgentDocument; specChanged: boolean }
  /** The agent, in its last state, makes room for another one: it is removed, and the command is decided again. */
  | { outcome: 'replace'; agent: AgentDocument }
  | { outcome: 'refused'; error: SwarmError };

/** `current` is the agent as stored, or null when the name is free. `trip`: an operator has tripped the name. */
export function decide(current: AgentDocument | null, command: Command, trip: Trip | null): Decision {
  const decision = decideFreely(current, command);
  return trip === null ? decision : underTrip(current, decision, trip);
}

/** Whatever the command is, an agent of a tripped name is stored with an open circuit. */
function underTrip(current: AgentDocument | null, decision: Decision, trip: Trip): Decision {
  if (decision.outcome === 'refused' || decision.outcome === 'replace') return decision;
  if (decision.outcome === 'change' && isRemoval(decision.change)) return decision;
  const agent = { ...decision.agent, status: { ...decision.agent.status, ...trippedStatus(trip) } };
  if (decision.outcome === 'change' && decision.change !== 'status') return { ...decision, agent };
  if (current !== null && showsSame(agent.status, current.status)) return { outcome: 'unchanged', agent: current };
  return { outcome: 'change', change: 'status', agent, specChanged: false };
}

function decideFreely(current: AgentDocument | null, command: Command): Decision {
  switch (command.kind) {
    case 'register':
      return decideRegister(current, command);
    case 'update':
      return current === null ? notFound(command.name) : decideUpdate(current, command);
    case 'deregister': {
      if (current === null) return notFound(command.name);
      const status = { ...current.status, reason: command.reason ?? null };
      return { outcome: 'change', change: 'deregistered', agent: { ...current, status }, specChanged: false };
    }
    case 'status':
    case 'expire':
      return decideStatus(current, command);
  }
}

type RegisterCommand = Extract<Command, { kind: 'register' }>;

type StatusCommand = Extract<Command, { kind: 'status' | 'expire' }>;

function decideStatus(current: AgentDocument | null, command: StatusCommand): Decision {
  if (current === null || current.id !== command.agentId) return notFound(command.name);
  const { unlessSeenAfter } = command;
  const wasSeen = unlessSeenAfter !== undefined && Date.parse(current.status.lastSeenAt ?? '') > unlessSeenAfter;
  if (wasSeen || (command.kind === 'status' && current.incarnation !== command.incarnation)) {
    return { outcome: 'unchanged', agent: current };
  }
  if (command.kind === 'expire') {
    const status = { ...current.status, reason: command.reason };
    return { outcome: 'change', change: 'expired', agent: { ...current, status }, specChanged: false };
  }
  const status = { ...current.status, ...command.set };
  if (showsSame(status, current.status)) return { outcome: 'unchanged', agent: current };
  return { outcome: 'change', change: 'status', agent: { ...current, status }, specChanged: false };
}

function decideRegister(current: AgentDocument | null, command: RegisterCommand): Decision {
  const { registration, superseded, mayCreate, newId } = command;
  // Before everything else: a token that does not own the name learns nothing more about it.
  if (current !== null && isOfAnother(command) && !mayReplace(current, command)) return notOwned(registration.name);
  if (superseded) {
    const message = `a newer process of agent "${registration.name}" has taken over`;
    return { outcome: 'refused', error: new SwarmError('FENCED', message) };
  }
  const spec = specOf(registration);
  if (current === null) {
    if (!mayCreate) return usedUp();
    const agent: AgentDocument = {
      id: newId,
      namespace: registration.namespace,
      name: registration.name,
      role: registration.role,
      ...spec,
      incarnation: registration.incarnation ?? null,
      status: FRESH_STATUS,
      ...ASSIGNED_BY_COMMIT,
    };
    return { outcome: 'change', change: 'registered', agent, specChanged: true };
  }
  if (current.role !== registration.role) return decideRole(current, command);
  const incarnation = registration.incarnation ?? current.incarnation;
  const takesOver = incarnation !== current.incarnation;
  if (!takesOver && sameSpec(specOf(current), spec)) return { outcome: 'unchanged', agent: current };
  const status = takesOver ? FRESH_STATUS : current.status;
  return {
    outcome: 'change',
    change: 'updated',
    agent: { ...current, ...spec, incarnation, status },
    specChanged: true,
  };
}

/** Whether the name belongs to another token than the caller's, which reaches its own names only. */
const isOfAnother = ({ ownNamesOnly, owner, registeredBy }: RegisterCommand): boolean =>
  ownNamesOnly && owner !== null && owner !== registeredBy;

/** Whether the caller may put an agent of another role in the place of a dead one. */
function mayReplace(current: AgentDocument, { registration, lapsed, replaces }: RegisterCommand): boolean {
  if (current.role === registration.role || current.status.health !== 'unhealthy' || !lapsed) return false;
  return [current.role, registration.role].every((role) => replaces === '*' || replaces.includes(role));
}

/** A dead agent keeps its name, but not from an agent of another role. */
function decideRole(current: AgentDocument, command: RegisterCommand): Decision {
  const { registration, mayCreate } = command;
  if (!mayReplace(current, command)) return immutableRole(current);
  if (!mayCreate) return usedUp();
  const status = { ...current.status, reason: `replaced by an agent of the role "${registration.role}"` };
  return { outcome: 'replace', agent: { ...current, status } };
}

function decideUpdate(current: AgentDocument, command: Extract<Command, { kind: 'update' }>): Decision {
  const { set, ifRevision } = command;
  if (ifRevision !== undefined && ifRevision !== current.specRevision) {
    const message = `the registration of "${current.name}" is at revision ${current.specRevision}, not ${ifRevision}`;
    return { outcome: 'refused', error: new SwarmError('CONFLICT', message) };
  }
  for (const field of ['namespace', 'name', 'role'] as const) {
    if (set[field] === undefined || set[field] === current[field]) continue;
    return field === 'role' ? immutableRole(current) : immutable(field);
  }
  const spec = specOf({ ...specOf(current), ...definedOf(set) });
  if (sameSpec(specOf(current), spec)) return { outcome: 'unchanged', agent: current };
  return { outcome: 'change', change: 'updated', agent: { ...current, ...spec }, specChanged: true };
}

type Spec = Pick<
  AgentDocument,
  'version' | 'description' | 'healthUrl' | 'topics' | 'capabilities' | 'labels' | 'leaseMs'
>;

type OptionalField = 'description' | 'healthUrl' | 'leaseMs';

const specOf = (from: Omit<Spec, OptionalField> & Pick<AgentRegistration, OptionalField>): Spec => ({
  version: from.version,
  description: from.description ?? null,
  healthUrl: from.healthUrl ?? null,
  topics: from.topics,
  capabilities: from.capabilities,
  labels: from.labels,
  leaseMs: from.leaseMs ?? null,
});

function definedOf(set: AgentUpdate): Partial<Spec> {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}

/** The order in which capabilities and patterns are listed means nothing, so it changes nothing. */
function sameSpec(stored: Spec, given: Spec): boolean {
  const same = (spec: Spec) => isDeepStrictEqual(unordered(stored), unordered(spec));
  // JSON makes less difference than JavaScript does: -0 comes back as 0.
  return same(given) || same(JSON.parse(JSON.stringify(given)) as Spec);
}

const unordered = (spec: Spec) => ({
  ...spec,
  topics: { publishes: spec.topics.publishes.toSorted(), subscribes: spec.topics.subscribes.toSorted() },
  capabilities: spec.capabilities.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
});

/** What takes a revision when it changes; the rest of the status comes along. */
const SHOWN = ['health', 'circuit', 'circuitOpenUntil', 'activity', 'note'] as const;
const showsSame = (one: Agent['status'], other: Agent['status']): boolean =>
  SHOWN.every((field) => one[field] === other[field]);

const FRESH_STATUS: Agent['status'] = {
  health: 'unknown',
  activity: 'ready',
  // A placeholder: the commit knows the time.
  activitySince: '',
  note: null,
  circuit: 'closed',
  circuitOpenUntil: null,
  consecutiveFailures: 0,
  lastSeenAt: null,
  reason: null,
};

/** Placeholders: the commit knows the revision and the time. */
const ASSIGNED_BY_COMMIT = { revision: 0, specRevision: 0, registeredAt: '', updatedAt: '' };

const immutable = (field: string): Decision => ({
  outcome: 'refused',
  error: new SwarmError('IMMUTABLE_FIELD', `${field} cannot be changed after registration`, { details: { field } }),
});

const immutableRole = ({ name, role }: AgentDocument): Decision => {
  const message =
    `agent "${name}" has the role "${role}", which cannot be changed. Deregister the agent first, or use another name. ` +
    `A dead agent (unhealthy, past its lease, without an open stream) is replaced by a registration with a token for both roles`;
  return { outcome: 'refused', error: new SwarmError('IMMUTABLE_FIELD', message, { details: { field: 'role' } }) };
};

const notOwned = (name: string): Decision => {
  const message =
    `the name "${name}" belongs to another token. This token registers free names, and names that it has registered itself. ` +
    `Use another name, or have the agent deregistered first`;
  return { outcome: 'refused', error: new SwarmError('FORBIDDEN', message) };
};

const usedUp = (): Decision => ({
  outcome: 'refused',
  error: new SwarmError('FORBIDDEN', 'the join token is used up'),
});

const notFound = (name: string): Decision => ({
  outcome: 'refused',
  error: new SwarmError('NOT_FOUND', `there is no agent "${name}"`),
});
