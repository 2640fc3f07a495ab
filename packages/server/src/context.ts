// What every call knows: the parts of the core, and who is calling.
import type { Bus } from '@hypercode/bus';
import type { SwarmError } from '@hypercode/contracts';
import type { Operations } from '@hypercode/operations';
import type { Identity, Registry } from '@hypercode/registry';
import type { Clock } from '@hypercode/clock';
import type { Socket } from 'node:net';
import type { Connections } from './connections.ts';
import type { BodyBudget } from './intake/body-budget.ts';
import type { ServerMetrics } from './metrics.ts';
import type { Gate, Outgoing } from './outgoing/outgoing.ts';
import type { IgnoredNames } from './procedures/unknown-fields.ts';
import type { PlanFolds } from './plans/plan-folds.ts';
import type { Overviews } from './overview/overviews.ts';
import type { QuestionDesk } from './questions/question-desk.ts';
import type { RegistrationRates } from './registration-rates.ts';
import type { BrowserSessions } from './sessions/browser-sessions.ts';
import type { SwarmView } from './swarm-view.ts';

/** The parts of the core that calls work with. */
export interface Core {
  readonly registry: Registry;
  readonly bus: Bus;
  readonly plans: PlanFolds;
  readonly operations: Operations;
  readonly questions: QuestionDesk;
  readonly view: SwarmView;
  readonly overviews: Overviews;
  readonly metrics: ServerMetrics;
  readonly clock: Clock;
  readonly connections: Pick<Connections, 'limitStall' | 'keepAlive' | 'markAuthenticated'>;
  readonly registrationRates: RegistrationRates;
  readonly browsers: BrowserSessions;
  /** What callers may have open, and what may wait to be sent. */
  readonly gate: Gate;
  readonly bodies: BodyBudget;
  /** Version of the core. */
  readonly version: string;
  /** Aborts when the core drains: streams end. */
  readonly draining: AbortSignal;
  /** Counts a refusal, and logs an INTERNAL one with its cause. Every refusal of every transport goes through it, once. */
  readonly onRefusal: (refusal: Pick<SwarmError, 'code' | 'cause'>, at?: RefusedCall) => void;
}

export interface RefusedCall {
  readonly log?: { error(fields: object, message: string): void };
  /** The procedure. */
  readonly path?: string | undefined;
  /** Of the peer. */
  readonly address?: string | undefined;
}

export interface CallContext {
  readonly core: Core;
  /**
   * Who is calling, as of now: on a WebSocket one context serves every call, and a token can end between two of them. Throws
   * UNAUTHENTICATED, FENCED or UNAVAILABLE.
   */
  identify(): Promise<Identity>;
  /** The turns of the calls: of a request, or of a connection. */
  readonly outgoing: Outgoing;
  /** Bytes of the request's body, when they are known: no part of it can be larger. */
  readonly bodyBytes: number | null;
  /** Waits until the transport has room for more; at once where the transport does so itself. */
  drained(): Promise<void>;
  /** See `Connections.limitStall`. */
  readonly limitStall: (limitMs: number) => void;
  /** Where names that the core does not know are noted; null: they are refused. */
  readonly ignoredNames: IgnoredNames | null;
  /** The id of the request, or of the next call of a connection. */
  readonly nextRequestId: () => string;
}

export interface Caller {
  core: Core;
  identify: () => Promise<Identity>;
  bodyBytes: number | null;
  outgoing: Outgoing;
  ignoredNames: IgnoredNames | null;
  /** Of the request; undefined on a connection, each of whose calls gets one of its own. */
  requestId?: string;
  /** Undefined where the transport does not give it. */
  socket: Socket | undefined;
  drained?: () => Promise<void>;
}

export function createCallContext(caller: Caller): CallContext {
  const { core, identify, bodyBytes, outgoing, ignoredNames, socket, drained, requestId } = caller;
  return {
    core,
    bodyBytes,
    outgoing,
    ignoredNames,
    identify,
    drained: drained ?? (() => Promise.resolve()),
    limitStall: (limitMs) => core.connections.limitStall(socket, limitMs),
    nextRequestId: () => requestId ?? core.clock.newId(),
  };
}
