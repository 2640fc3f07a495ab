// What a group is, as the scripts of Redis answer it: `stateOf` in lua/group-identity.lua.
import type { GroupPause, GroupState, UsedGroup } from '../store/group-store.ts';
import type { GroupSettings } from '../store/group-settings.ts';

/** Texts of the fields of a group's hash; what is absent is ''. */
export type RawState = readonly [
  id: string,
  version: string,
  topics: string,
  ackDeadlineMs: string,
  maxDeliveries: string,
  made: string,
  paused: string,
  owner: string,
  madeBy: string,
  madeAt: string,
  secret: string,
  unsignedUntil: string,
];

export function toState(raw: RawState): GroupState {
  const [
    id,
    version,
    topics,
    ackDeadlineMs,
    maxDeliveries,
    made,
    paused,
    owner,
    madeBy,
    madeAt,
    secret,
    unsignedUntil,
  ] = raw;
  const settings: GroupSettings = {
    topics: JSON.parse(topics) as string[],
    ackDeadlineMs: Number(ackDeadlineMs),
    maxDeliveries: Number(maxDeliveries),
  };
  return {
    ...settings,
    id: id === '' ? null : id,
    version: version === '' ? 1 : Number(version),
    made: made === '' ? settings : (JSON.parse(made) as GroupSettings),
    paused: paused === '' ? null : (JSON.parse(paused) as GroupPause),
    ownedBy: owner === '' ? null : owner,
    madeBy: madeBy === '' ? null : madeBy,
    madeAt: madeAt === '' ? null : Number(madeAt),
    secret: secret === '' ? null : secret,
    unsignedUntil: unsignedUntil === '' ? null : Number(unsignedUntil),
  };
}

/** The same after a call that gives every group an id. */
export function toUsedGroup(raw: RawState): UsedGroup {
  const state = toState(raw);
  if (state.id === null) throw new Error('the group has no id');
  return { ...state, id: state.id };
}
