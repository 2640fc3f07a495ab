// An agent's presence in the registry: registered, kept alive by heartbeats, registered again when the core has lost
// it, deregistered on stop. `agent-lifecycle.ts` decides; this file acts.
import {
  type Activity,
  type Agent,
  type AgentRegistrationInput,
  type CircuitState,
  type ErrorCode,
  invalidField,
  jsonFault,
  LIMITS,
  type RegisterOutcome,
  SwarmError,
} from '@hypercode/contracts';
import { isCircuitState } from '../publishing/own-circuit.ts';
import { advance, type Lifecycle, lifecycleStart, type Outcome } from './agent-lifecycle.ts';
import { type Bus, openBus } from '../bus/bus-calls.ts';
import { sleep } from '@hypercode/clock';
import { abortError } from '../transport/bounded.ts';
import type { SwarmClientOptions } from '../transport/client-options.ts';
import { callMutation, type Connection, openConnection, postJson, tryLimitMs } from '../transport/connection.ts';
import { jsonText } from '../transport/exact-json.ts';
import type { Denial } from '../transport/denials.ts';
import { Emitter, type Listener } from '../transport/emitter.ts';
import { isRecord } from '../transport/json.ts';
import type { SwarmLogger } from '../transport/logger.ts';
import { onAbort } from '../transport/on-abort.ts';
import { isUnanswered } from '../transport/refusal.ts';
import { type AskOptions, type QuestionAnswer, type QuestionInput, Questions } from '../questions/questions.ts';
import { clientOn, type SwarmClient } from '../swarm-client.ts';

export interface AgentEvents {
  /** A registration was taken: the first one, or one after the core had lost the agent. */
  registered: [agent: Agent, outcome: RegisterOutcome];
  /** A later incarnation has taken the name. This one has ended for good. */
  fenced: [error: SwarmError<'FENCED'>];
  /** A registration or a heartbeat was refused or did not get through; it will be tried again. */
  error: [error: SwarmError];
  /**
   * The agent's circuit, or its reason, has changed, as reported by the answers to heartbeats and publishes.
   */
  circuit: [circuit: CircuitState, reason: string | null];
  stopped: [];
}

export interface AgentHealth {
  /**
   * `ok` while the core has the agent; `denied` when the policy denies what one of its handlers asks for; `unregistered` before
   * the core has the agent, and after the core has lost it; `fenced` when another process has the name; `draining` while `stop`
   * runs, and `stopped` afterwards.
   */
  readonly status: 'ok' | 'denied' | 'unregistered' | 'fenced' | 'draining' | 'stopped';
  readonly activity: Activity;
  /** As the last answer of the core reported it. */
  readonly circuit: CircuitState;
  /** Whether the core has the agent, as the last answer reported. */
  readonly registered: boolean;
  /** What the policy denies to handlers of `on`, `consume` and `serveTasks` now. Each tries again until the policy allows it. */
  readonly denied: readonly Denial[];
}

export interface AgentPresence {
  readonly registration: AgentRegistrationInput & { readonly incarnation: string };
  readonly heartbeatMs: number | undefined;
}

/** Heartbeats that a change of activity brings forward keep this distance, in milliseconds. */
const ACTIVITY_GAP_MS = 250;
/** A heartbeat may take a third of the lease, but never less than this, in milliseconds. */
const HEARTBEAT_LIMIT_MS = 1_000;
/** How long `stop` may wait for a registration in flight, for what is being published, for the deregistration, in ms. */
const STOP_LIMIT_MS = 5_000;

/** The mutable fields of a registration; null clears. */
export type AgentUpdate = Omit<
  NonNullable<Parameters<SwarmClient['registry']['update']>[0]>['set'],
  'namespace' | 'name' | 'role'
>;

export class ConnectedAgent {
  /** Speaks as the agent. Its token follows the registrations. */
  readonly client: SwarmClient;
  /** The one of the options, or what stands for it. */
  readonly logger: SwarmLogger;
  readonly #joining: Connection;
  readonly #speaking: Connection;
  readonly #bus: Bus;
  readonly #questions: Questions;
  readonly #emitter = new Emitter<AgentEvents>();
  readonly #presence: AgentPresence;
  /** Aborted when nothing further is to be begun: stopping, fenced, or refused. */
  readonly #end = new AbortController();
  /** Undefined before `register`. */
  #running: Promise<void> | undefined;
  #registration: AgentPresence['registration'];
  #lifecycle: Lifecycle = lifecycleStart;
  #agent: Agent | undefined;
  #token: string | undefined;
  /** What `setActivity` was given; undefined while the consumers decide. */
  #activityByHand: Activity | undefined;
  /** What the heartbeats report as the agent's note; undefined before the first, and then they report none. */
  #note: string | null | undefined;
  /** The refusal that was logged last; undefined since one of the core's answers was none. */
  #loggedRefusal: ErrorCode | undefined;
  #hasReportedActivity = false;
  /** Whether the core has taken a heartbeat with `draining`. */
  #hasReportedDraining = false;
  #isDraining = false;
  #hasStopped = false;
  #heartbeatAt = -Infinity;
  /** Ends the pause after a heartbeat. */
  #hurry = new AbortController();
  /** Registrations and heartbeats so far, the one under way included. */
  #steps = 0;
  /** Called when the next step is done, whatever it was. */
  readonly #afterStep = new Set<() => void>();
  #hasReportedClock = false;
  #stopping: Promise<void> | undefined;

  /** Use `connectAgent`, which waits for the first registration, or `createAgent`, which leaves it to the caller. */
  constructor(options: SwarmClientOptions, presence: AgentPresence) {
    this.#presence = presence;
    this.#registration = presence.registration;
    this.#joining = openConnection(options);
    this.#joining.onClockDifference((differenceMs) => this.#reportClock(differenceMs));
    this.logger = this.#joining.logger;
    this.#speaking = openConnection(
      { ...options, token: (refused, signal) => this.#currentToken(refused, signal) },
      this.#joining.clock,
      this.#joining,
    );
    this.#bus = openBus(this.#speaking, {
      onCircuit: (circuit, reason) => this.#emitter.emit('circuit', circuit, reason),
      onLoad: () => {
        if (this.#activityByHand === undefined) this.#hurry.abort();
      },
    });
    this.client = clientOn(this.#speaking, this.#bus);
    const { name } = presence.registration;
    this.#questions = new Questions({ name, bus: this.#bus.calls, clock: this.#joining.clock });
  }

  /** As the core last gave it, at a registration or an update. */
  get agent(): Agent {
    if (this.#agent === undefined) throw new SwarmError('UNAVAILABLE', 'the agent is not registered yet');
    return this.#agent;
  }

  get incarnation(): string {
    return this.#registration.incarnation;
  }

  /** As the last answer of the core reported it. Unless it is `closed`, the core refuses what the agent publishes. */
  get circuit(): CircuitState {
    return this.#bus.circuit.state;
  }

  /** How the agent is, as it knows itself, without asking the core. */
  health(): AgentHealth {
    const registered = this.#lifecycle.phase === 'alive' && !this.#hasStopped;
    return {
      status: this.#statusOf(registered),
      activity: this.#activity() ?? 'ready',
      circuit: this.circuit,
      registered,
      denied: this.#speaking.denials.current,
    };
  }

  #statusOf(registered: boolean): AgentHealth['status'] {
    if (this.#lifecycle.phase === 'fenced') return 'fenced';
    if (this.#hasStopped) return 'stopped';
    if (this.#isDraining) return 'draining';
    if (!registered) return 'unregistered';
    return this.#speaking.denials.current.length === 0 ? 'ok' : 'denied';
  }

  /** Calls `listener` at each `event` from now on; the returned function ends that. */
  on<Name extends keyof AgentEvents>(event: Name, listener: Listener<AgentEvents[Name]>): () => void {
    return this.#emitter.on(event, listener);
  }

  /**
   * Reports it to the core with the next heartbeat, which follows at once, and with all later ones. With `auto`, as from the start,
   * the consumers decide, once there are any: `busy` while they have no handler to spare, else `ready`.
   *
   * `note` is the agent's own words about it, which operators and other agents read: at most 256 characters; none if it is left out.
   * The core shows a change of the note alone at most every 5 seconds. Throws INVALID_INPUT for a note that the core would refuse.
   */
  setActivity(activity: Activity | 'auto', { note }: { readonly note?: string | null } = {}): void {
    assertNote(note ?? '');
    this.#activityByHand = activity === 'auto' ? undefined : activity;
    if (note !== undefined || this.#note !== undefined) this.#note = note ?? null;
    this.#hurry.abort();
  }

  /**
   * Asks people, and waits for the answer, over restarts of the core. With `questionId`, also over restarts of the agent: the same id asked
   * again is the same question. Rejects with a QuestionError when the question was withdrawn (by `timeoutMs`, when it has expired), with
   * ACL_DENIED when the role may not ask, and with INVALID_INPUT for a question that is none. An agent has at most 100 open questions.
   */
  ask(question: QuestionInput, options?: AskOptions): Promise<QuestionAnswer> {
    return this.#questions.ask(question, options);
  }

  /** Undefined when there is no activity to report and none was reported; the last one reported holds until another is. */
  #activity(): Activity | undefined {
    if (this.#isDraining) return 'draining';
    return this.#activityByHand ?? this.#bus.load.activity ?? (this.#hasReportedActivity ? 'ready' : undefined);
  }

  /** Changes the registration, also as later registrations will repeat it. Rejects as `registry.update` does. */
  async update(set: AgentUpdate, options: { readonly ifRevision?: number } = {}): Promise<Agent> {
    const { name } = this.#registration;
    const { agent } = await this.client.registry.update({ name, set, ...options });
    // What is undefined was not sent, and has changed nothing.
    const sent = Object.entries(set).filter(([, value]) => value !== undefined);
    type Changes = Partial<Omit<AgentRegistrationInput, 'incarnation'>>;
    this.#registration = { ...this.#registration, ...(Object.fromEntries(sent) as Changes) };
    this.#agent = agent;
    // Heartbeats that follow a longer lease would come too late.
    if (sent.some(([field]) => field === 'leaseMs')) this.#hurry.abort();
    return agent;
  }

  /**
   * Registers the agent, unless that is under way or done, and keeps it alive from then on. Resolves with the first
   * registration; rejects when it was refused for good, or when the agent was stopped.
   */
  async register(): Promise<void> {
    this.#running ??= this.#run();
    while (!this.#lifecycle.joined) {
      if (this.#end.signal.aborted) throw this.#end.signal.reason;
      await this.#nextStep();
    }
  }

  /**
   * Stops the consumers and sends what is to be published, while the heartbeats report `draining`; then deregisters (unless
   * fenced), and closes the client. Takes at most about 15 seconds, and does not reject: a deregistration that fails is
   * emitted as `error`, and the core's lease does the rest.
   */
  stop(reason?: string): Promise<void> {
    this.#stopping ??= this.#shutDown(reason);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    const { heartbeatMs } = this.#presence;
    const { clock } = this.#joining;
    while (!this.#end.signal.aborted) {
      this.#steps += 1;
      const outcome = this.#lifecycle.phase === 'registering' ? await this.#register() : await this.#heartbeat();
      const { next, waitMs } = advance(this.#lifecycle, outcome, {
        heartbeatMs,
        random: clock.random(),
      });
      this.#lifecycle = next;
      this.#report(outcome);
      for (const done of [...this.#afterStep]) done();
      if (!this.#end.signal.aborted) await this.#pause(waitMs);
    }
    for (const done of [...this.#afterStep]) done();
  }

  #report(outcome: Outcome): void {
    if (outcome.type !== 'refused') {
      this.#loggedRefusal = undefined;
      return;
    }
    const { error } = outcome;
    const { name } = this.#registration;
    const { phase } = this.#lifecycle;
    if (phase === 'fenced' || phase === 'refused') {
      this.#end.abort(error);
      this.#joining.close(error);
      this.#speaking.close(error);
    }
    if (this.#stopping !== undefined) return;
    // That no core answers is logged for all that is retried.
    if (!isUnanswered(error) && this.#loggedRefusal !== error.code) {
      this.#loggedRefusal = error.code;
      this.logger.warn({ agent: name, code: error.code, phase }, error.message);
    }
    if (error.is('FENCED')) this.#emitter.emit('fenced', error);
    else this.#emitter.emit('error', error);
  }

  /** Once: who reads it sets the clock, and deadlines are wrong until then. */
  #reportClock(differenceMs: number): void {
    if (this.#hasReportedClock) return;
    this.#hasReportedClock = true;
    const { name: agent } = this.#registration;
    const seconds = Math.round(Math.abs(differenceMs) / 1000);
    const where = differenceMs > 0 ? 'ahead of' : 'behind';
    const message = `the clock of this process is ${seconds} s ${where} the core's, so deadlines of tasks are wrong here: set it`;
    this.logger.warn({ agent, differenceMs }, message);
  }

  async #register(): Promise<Outcome> {
    const request = this.#bus.circuit.begin();
    try {
      const { namespace, timeoutMs, closed } = this.#joining;
      const input = jsonText({ namespace, ...this.#registration });
      const bounds = { timeoutMs, signals: [closed] };
      const answer = await callMutation(this.#joining, 'registry.register', input, bounds);
      const { agent, outcome, token } = answer as Awaited<ReturnType<SwarmClient['registry']['register']>>;
      if (token === undefined) throw new SwarmError('INTERNAL', 'the core returned no token for the agent');
      this.#agent = agent;
      this.#token = token;
      this.#bus.circuit.learn(request, agent.status.circuit, agent.status.reason);
      this.logger.info({ agent: agent.name, outcome, revision: agent.revision }, 'registered');
      if (this.#stopping === undefined) this.#emitter.emit('registered', agent, outcome);
      return { type: 'registered' };
    } catch (error) {
      return { type: 'refused', error: SwarmError.from(error) };
    }
  }

  /** On the plain route: through tRPC, a heartbeat costs the core several times as much. */
  async #heartbeat(): Promise<Outcome> {
    const { name, incarnation } = this.#registration;
    const { namespace, timeoutMs, clock } = this.#joining;
    const url = this.#joining.endpoint(`v1/agents/${name}/heartbeat`);
    if (namespace !== undefined) url.searchParams.set('namespace', namespace);
    const activity = this.#activity();
    this.#hasReportedActivity ||= activity !== undefined;
    const request = this.#bus.circuit.begin();
    this.#hurry = new AbortController();
    this.#heartbeatAt = clock.monotonicMs();
    // A heartbeat that hangs must not cost the lease.
    const limitMs = Math.max(HEARTBEAT_LIMIT_MS, (this.#lifecycle.leaseMs ?? Infinity) / 3);
    try {
      const answer = await postJson(this.#joining, url, JSON.stringify({ incarnation, activity, note: this.#note }), {
        token: this.#token ?? '',
        timeoutMs: tryLimitMs(0, Math.min(timeoutMs, limitMs)),
        signals: [this.#joining.closed, this.#end.signal],
      });
      const { leaseMs, circuit } = isRecord(answer) ? answer : {};
      this.#hasReportedDraining ||= activity === 'draining';
      if (isCircuitState(circuit)) this.#bus.circuit.learn(request, circuit);
      return {
        type: 'renewed',
        leaseMs: typeof leaseMs === 'number' && leaseMs > 0 ? leaseMs : undefined,
      };
    } catch (error) {
      return { type: 'refused', error: SwarmError.from(error) };
    }
  }

  /** Waits for the next step. Only the wait after a successful heartbeat can be cut short: a backoff is kept. */
  async #pause(waitMs: number): Promise<void> {
    const { clock } = this.#joining;
    const { phase, failures } = this.#lifecycle;
    if (phase !== 'alive' || failures > 0) return sleep(clock, waitMs, this.#end.signal);
    const { signal } = this.#hurry;
    const release = onAbort(this.#end.signal, () => this.#hurry.abort());
    const due = clock.monotonicMs() + waitMs;
    await sleep(clock, waitMs, signal);
    release();
    // `draining` is reported once, and at once.
    const earliest = this.#isDraining ? clock.monotonicMs() : Math.min(due, this.#heartbeatAt + ACTIVITY_GAP_MS);
    await sleep(clock, Math.max(0, earliest - clock.monotonicMs()), this.#end.signal);
  }

  /**
   * The agent's token. When the core has refused it, the next heartbeat decides: it is taken, and the token is the same;
   * or it is refused too, and the agent registers again and has another.
   */
  async #currentToken(refused: string | undefined, signal: AbortSignal): Promise<string> {
    // A step that is under way may have been taken before the token was refused.
    const before = this.#steps;
    while (this.#token === undefined || this.#token === refused) {
      if (this.#end.signal.aborted || signal.aborted) break;
      this.#hurry.abort();
      await this.#nextStep(signal);
      const isTaken = this.#lifecycle.phase === 'alive' && this.#lifecycle.failures === 0;
      if (isTaken && this.#steps > before) break;
    }
    if (this.#token === undefined) throw abortError(this.#end.signal.aborted ? this.#end.signal : signal);
    return this.#token;
  }

  /** Resolves when the next step is done, or as soon as `signal` is aborted. */
  #nextStep(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let release = (): void => {};
      const done = (): void => {
        this.#afterStep.delete(done);
        release();
        resolve();
      };
      this.#afterStep.add(done);
      if (signal !== undefined) release = onAbort(signal, done);
    });
  }

  async #shutDown(reason: string | undefined): Promise<void> {
    const { clock } = this.#joining;
    const closing = new SwarmError('UNAVAILABLE', 'the agent was stopped');
    this.#isDraining = true;
    if (this.#token !== undefined && !this.#end.signal.aborted) {
      await Promise.all([this.#reportDraining(), this.#bus.drain(STOP_LIMIT_MS)]);
    }
    this.#end.abort(closing);
    // A registration in flight may be taken after all: it is awaited, so that the agent can be deregistered.
    const patience = new AbortController();
    const running = (this.#running ??= this.#run());
    await Promise.race([running, sleep(clock, STOP_LIMIT_MS, patience.signal)]);
    patience.abort();
    this.#joining.close(closing);
    await running;
    if (this.#token !== undefined && this.#lifecycle.phase !== 'fenced') {
      await this.#deregister(reason);
    }
    this.#speaking.close(closing);
    this.#hasStopped = true;
    this.logger.info({ agent: this.#registration.name }, 'stopped');
    this.#emitter.emit('stopped');
  }

  /** Watchers see that the agent is leaving before it is removed. Does not wait long when the core does not answer. */
  async #reportDraining(): Promise<void> {
    const patience = new AbortController();
    const limit = sleep(this.#joining.clock, HEARTBEAT_LIMIT_MS, patience.signal);
    this.#hurry.abort();
    const reported = async (): Promise<void> => {
      const canReport = () => this.#lifecycle.phase === 'alive' && this.#lifecycle.failures === 0;
      while (!this.#hasReportedDraining && canReport() && !patience.signal.aborted) await this.#nextStep();
    };
    await Promise.race([reported(), limit]);
    patience.abort();
  }

  async #deregister(reason: string | undefined): Promise<void> {
    const { name } = this.#registration;
    try {
      await this.client.registry.deregister({ name, reason }, { timeoutMs: STOP_LIMIT_MS });
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      const isGone = error.is('NOT_FOUND') || error.is('UNAUTHENTICATED') || error.is('FENCED');
      if (!isGone) this.#emitter.emit('error', error);
    }
  }
}

/** As the core checks it, without zod, which is not part of the client in a browser. */
function assertNote(note: string): void {
  const fault = jsonFault(note);
  if (fault !== null) throw invalidField('note', fault.reason);
  if (Array.from(note).length > LIMITS.noteLength)
    throw invalidField('note', `must have at most ${LIMITS.noteLength} characters`);
}
