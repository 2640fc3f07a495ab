// What the core itself says on the bus: that circuits changed, and that liveness is suspended or goes on.
import type { Bus } from '@hypercode/bus';
import { CIRCUIT_TOPICS, type CircuitEventData, LIVENESS_TOPICS, SwarmError } from '@hypercode/contracts';
import type { Registry } from '@hypercode/registry';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

/** For ids of circuit events: the same change, told again, is the same event. */
const CIRCUIT_EVENTS = '5f0c8f0e-9a55-4c5b-8d0b-3f3f6a3b6c11';
const RETRY_MS = 1000;
/** For how long an event of the brake is tried when the bus' store is away, in milliseconds. */
const GIVE_UP_MS = 60_000;

/** Follows the registry. Returns what ends it. */
export function publishSystemEvents(
  registry: Registry,
  bus: Bus,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const waiting = new Set<NodeJS.Timeout>();
  let ended = false;
  const publish = (namespace: string, event: Parameters<Bus['publishSystem']>[1], triedMs = 0): void => {
    bus.publishSystem(namespace, event).catch((error: unknown) => {
      const mayRetry = error instanceof SwarmError && error.retryable && triedMs < GIVE_UP_MS;
      if (ended || !mayRetry) return onError(error);
      const timer = setTimeout(() => {
        waiting.delete(timer);
        publish(namespace, event, triedMs + RETRY_MS);
      }, RETRY_MS);
      waiting.add(timer);
    });
  };
  const stop = registry.observe({
    onGroup: () => undefined,
    onLinked: () => undefined,
    onBrake: (namespace, says) => publish(namespace, { id: uuidv7(), topic: LIVENESS_TOPICS[says], data: {} }),
  });
  // The registry keeps what could not be published.
  const endNews = registry.tellOfCircuits(async ({ namespace, agentId, name, role, revision, circuit, reason }) => {
    const data: CircuitEventData = { agent: name, role, circuit, reason, revision };
    const id = uuidv5(`${agentId} ${revision}`, CIRCUIT_EVENTS);
    await bus.publishSystem(namespace, { id, topic: CIRCUIT_TOPICS[circuit], data, subject: name });
  });
  return async () => {
    ended = true;
    stop();
    for (const timer of waiting) clearTimeout(timer);
    await endNews();
  };
}
