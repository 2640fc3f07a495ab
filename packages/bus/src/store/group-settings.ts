// What a consumer group is made with: one form, so that groups are compared in one way, whatever the driver.
import { invalidField, SwarmError } from '@hypercode/contracts';

export interface GroupSettings {
  /** Topic patterns, in the order of their text, each once. */
  readonly topics: readonly string[];
  readonly ackDeadlineMs: number;
  readonly maxDeliveries: number;
}

/** The settings that a caller names; those that it leaves out are whatever the group has. */
export type WantedSettings = { readonly [Field in keyof GroupSettings]?: GroupSettings[Field] | undefined };

/** A group's settings: those in force, and those that it was made with. */
export interface SettingsOfGroup extends GroupSettings {
  readonly made: GroupSettings;
}

const FIELDS = ['topics', 'ackDeadlineMs', 'maxDeliveries'] as const;
const DEFAULTS = { ackDeadlineMs: 30_000, maxDeliveries: 5 };

/** The settings in the form in which they are stored and compared. */
export const groupSettings = ({ topics, ackDeadlineMs, maxDeliveries }: GroupSettings): GroupSettings => ({
  topics: ordered(topics),
  ackDeadlineMs,
  maxDeliveries,
});

/** The same of what a caller names. */
export const wantedSettings = ({ topics, ackDeadlineMs, maxDeliveries }: WantedSettings): WantedSettings => ({
  topics: topics === undefined ? undefined : ordered(topics),
  ackDeadlineMs,
  maxDeliveries,
});

const ordered = (topics: readonly string[]): string[] => [...new Set(topics)].toSorted();

/** What a new group is made with; null without topics, which have no default. */
export function newSettings({ topics, ackDeadlineMs, maxDeliveries }: WantedSettings): GroupSettings | null {
  if (topics === undefined) return null;
  return groupSettings({
    topics,
    ackDeadlineMs: ackDeadlineMs ?? DEFAULTS.ackDeadlineMs,
    maxDeliveries: maxDeliveries ?? DEFAULTS.maxDeliveries,
  });
}

/** INVALID_INPUT for a call that leaves out the topics, of a group that does not exist. */
export const topicsNeeded = (group: string): SwarmError =>
  invalidField('topics', `are needed to make the consumer group "${group}", which does not exist`);

/** Whether a group has other settings than `wanted`, where these name them. */
const differing = (settings: GroupSettings, wanted: WantedSettings): (keyof GroupSettings)[] => {
  const [has, wants] = [groupSettings(settings), wantedSettings(wanted)];
  return FIELDS.filter(
    (name) => wants[name] !== undefined && JSON.stringify(has[name]) !== JSON.stringify(wants[name]),
  );
};

/**
 * CONFLICT, with the settings in force and those of `wanted`, unless each of `wanted` is in force, or each is as the group was
 * made: a consumer goes on after an operator has changed the group that it names with its old settings.
 */
export function assertSameSettings(group: string, stored: SettingsOfGroup, wanted: WantedSettings): void {
  const other = differing(stored, wanted);
  if (other.length === 0 || differing(stored.made, wanted).length === 0) return;
  const message = `consumer group "${group}" exists with different ${other.join(' and ')}`;
  const existing = groupSettings(stored);
  throw new SwarmError('CONFLICT', message, { details: { existing, requested: { ...existing, ...given(wanted) } } });
}

const given = (wanted: WantedSettings): Partial<GroupSettings> =>
  Object.fromEntries(Object.entries(wantedSettings(wanted)).filter(([, value]) => value !== undefined));
