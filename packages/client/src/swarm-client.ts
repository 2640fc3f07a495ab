// The client of a core: its procedures, its watch, its directory and its bus, over one connection.
import { type AgentIn, type AgentView, SwarmError } from '@hypercode/contracts';
import { AgentDirectory, type DirectoryFilter } from './watching/agent-directory.ts';
import { type Bus, type BusCalls, openBus } from './bus/bus-calls.ts';
import type { SwarmClientOptions } from './transport/client-options.ts';
import { type Connection, openConnection } from './transport/connection.ts';
import { createProcedures, type Procedures } from './calls/procedures.ts';
import { type Goals, goalsOn } from './goals/goals.ts';
import { followOverview, type OverviewOptions, type OverviewStream } from './overview/overview.ts';
import { type Plans, plansOn } from './plans/plans.ts';
import { type Watch, watchAgents, type WatchOptions } from './watching/watch.ts';

export interface SwarmClient extends Omit<Procedures, 'goals' | 'plans'>, BusCalls {
  /**
   * A snapshot of the agents that match, `synced`, then every change after it: in order, none missing, none twice. A
   * lost connection is resumed without the reader noticing; when it can not be resumed where it was, or a snapshot was
   * cut off, a new snapshot comes whose chunks are marked `reset` (a chunk of another revision than the one before it begins a
   * new snapshot).
   *
   * The reader's pace is the stream's: nothing is queued. Leaving the loop closes the connection; so do `signal` and
   * `close`, which end the loop without an error. The loop throws a SwarmError that no retry can help (UNAUTHENTICATED,
   * FORBIDDEN, FENCED, INVALID_INPUT …).
   */
  watch<View extends AgentView>(options: WatchOptions<View> & { readonly view: View }): Watch<View>;
  watch(options?: WatchOptions): Watch;
  /** Goals for the Architect, from their submission to their result. */
  readonly goals: Goals;
  /** The plans by which the Architect carries goals out: read, followed live, retried. */
  readonly plans: Plans;
  /**
   * Groups, replicas, stores and counts of a namespace: the whole state at first, and again each time that it changed, at most every two
   * seconds. A lost connection is resumed with the whole state. Leaving the loop closes the connection; so do `signal` and
   * `close`, which end the loop without an error. The loop throws a SwarmError that no retry can help, such as FORBIDDEN.
   */
  overview(options?: OverviewOptions): OverviewStream;
  /** A live local mirror of the agents that match. */
  directory<View extends AgentView>(
    filter: DirectoryFilter<View> & { readonly view: View },
  ): AgentDirectory<AgentIn<View>>;
  directory(filter?: DirectoryFilter): AgentDirectory;
  /**
   * Ends every watch, directory, subscription, consumer and call of this client. Events that were not sent are not; those
   * that were have two seconds for their answer. To send everything, `flush` first.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A client of the core at `url`. Calls that are made at the same time travel as one request; each rejects with a
 * SwarmError, and with UNAVAILABLE when no answer came back, in which case the outcome is unknown.
 * @throws SwarmError INVALID_INPUT with an option that can never work, such as a `url` that is none.
 */
export function createSwarmClient(options: SwarmClientOptions): SwarmClient {
  return clientOn(openConnection(options));
}

export function clientOn(connection: Connection, bus: Bus = openBus(connection)): SwarmClient {
  const close = async (): Promise<void> => {
    connection.close(new SwarmError('UNAVAILABLE', 'the client is closed'));
    await bus.calls.flush();
  };
  const procedures = createProcedures(connection);
  return {
    ...procedures,
    ...bus.calls,
    goals: goalsOn(connection, { bus: bus.calls, procedures, log: procedures.bus }),
    plans: plansOn(connection, procedures.plans),
    overview: (options) => followOverview(connection, options),
    watch: <View extends AgentView>(options?: WatchOptions<View>) => watchAgents(connection, options ?? {}),
    directory: <View extends AgentView>(filter?: DirectoryFilter<View>) =>
      new AgentDirectory<AgentIn<View>>(connection, filter),
    close,
    [Symbol.asyncDispose]: close,
  };
}
