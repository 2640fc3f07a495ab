// The environment of a command that `listen` runs: ours without anything of the swarm's, and four names about the event. Pure.
import type { SwarmEvent } from '@hypercode/client';
import type { Environment } from '../output/terminal.ts';

export interface ListenedEvent {
  readonly position: string;
  readonly event: SwarmEvent;
}

/** What the command may use to talk to the core itself. */
export interface PassedTarget {
  readonly url: string;
  readonly token: string;
  readonly namespace: string;
}

/** With `passed`, also `SWARM_URL`, `SWARM_TOKEN` and `SWARM_NAMESPACE`. */
export function childEnvironment(
  own: Environment,
  { position, event }: ListenedEvent,
  passed: PassedTarget | null,
): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(?:SWARM_|TRACEPARENT$)/i.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    SWARM_EVENT_ID: event.id,
    SWARM_TOPIC: event.topic,
    SWARM_POSITION: position,
    ...(event.traceparent === undefined ? {} : { TRACEPARENT: event.traceparent }),
    ...(passed === null ? {} : { SWARM_URL: passed.url, SWARM_TOKEN: passed.token, SWARM_NAMESPACE: passed.namespace }),
  };
}
