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

/** CONFLICT, with the settings that the group has, when it exists with other settings than `wanted`. */
export function assertSameSettings(group: string, existing: GroupSettings, wanted: GroupSettings): void {
  const settings = groupSettings(existing);
  if (JSON.stringify(settings) === JSON.stringify(groupSettings(wanted))) return;
  const message = `consumer group "${group}" exists with different topics, ackDeadlineMs or maxDeliveries`;
  throw new SwarmError('CONFLICT', message, { details: { existing: settings } });
}
