// What a consumer group is made with: one form, so that groups are compared in one way, whatever the driver.
import { SwarmError } from '@hypercode/contracts';

export interface GroupSettings {
  /** Topic patterns, in the order of their text, each once. */
  readonly topics: readonly string[];
  readonly ackDeadlineMs: number;
  readonly maxDeliveries: number;
}

/** The settings in the form in which they are stored and compared. */
export const groupSettings = ({ topics, ackDeadlineMs, maxDeliveries }: GroupSettings): GroupSettings => ({
  topics: [...new Set(topics)].toSorted(),
  ackDeadlineMs,
  maxDeliveries,
});

/** CONFLICT, with the settings that the group has and those of `wanted`, when it exists with other settings. */
export function assertSameSettings(group: string, stored: GroupSettings, wanted: GroupSettings): void {
  const [existing, requested] = [groupSettings(stored), groupSettings(wanted)];
  const differing = (['topics', 'ackDeadlineMs', 'maxDeliveries'] as const).filter(
    (name) => JSON.stringify(existing[name]) !== JSON.stringify(requested[name]),
  );
  if (differing.length === 0) return;
  const message = `consumer group "${group}" exists with different ${differing.join(' and ')}`;
  throw new SwarmError('CONFLICT', message, { details: { existing, requested } });
}
