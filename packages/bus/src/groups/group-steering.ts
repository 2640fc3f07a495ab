// What operators do with consumer groups: done in the store, made known to all replicas and to the namespace.
import {
  type DeletedGroup,
  type DeleteGroupInput,
  type GroupChange,
  type GroupEventData,
  type GroupInfo,
  type PauseGroupInput,
  type ResumeGroupInput,
  type SeekGroupInput,
  type SeekTarget,
  type SoughtGroup,
  type SteeredGroup,
  SwarmError,
  type UpdateGroupInput,
} from '@hypercode/contracts';
import { type BusCaller, sourceOf } from '../admission/caller.ts';
import type { EventLog } from '../store/event-log.ts';
import type { GroupStore, SteeredGroup as StoreAnswer } from '../store/group-store.ts';
import { formatPosition, type LogPosition, positionIn } from '../store/position.ts';
import { settingsShown } from './delivery.ts';
import { pauseShown } from './group-info.ts';
import type { Groups } from './groups.ts';

/** A change of a group that is to be published. */
export interface GroupNotice {
  readonly namespace: string;
  readonly change: GroupChange;
  readonly data: GroupEventData;
}

export interface GroupSteeringOptions {
  store: Pick<GroupStore, 'find' | 'pause' | 'resume' | 'update' | 'seek' | 'delete'>;
  log: Pick<EventLog, 'positionBefore'>;
  groups: Pick<Groups, 'changed'>;
  /** Called when a group was changed. */
  onNotice: (notice: GroupNotice) => void;
}

/**
 * The store obeys at once, whatever replicas know: a paused group hands nothing out, and nothing is taken of an offer that was made
 * by other settings, or at another cursor. Replicas are notified, so that their streams and waiting claims do not wait for the next
 * event. Every call rejects with NOT_FOUND when there is no such group, and with FORBIDDEN for a caller that is no operator.
 */
export class GroupSteering {
  readonly #options: GroupSteeringOptions;

  constructor(options: GroupSteeringOptions) {
    this.#options = options;
  }

  /** The group as it is; null when there is none. */
  async stateOf(namespace: string, group: string): Promise<Pick<GroupInfo, 'groupId' | 'settings' | 'paused'> | null> {
    const state = await this.#options.store.find(namespace, group);
    if (state === null) return null;
    return { groupId: state.id, settings: settingsShown(state), paused: pauseShown(state.paused) };
  }

  async pause(caller: BusCaller, { namespace, group, reason }: PauseGroupInput): Promise<SteeredGroup> {
    const by = operatorIn(caller);
    const why = reason ?? null;
    const steered = await this.#options.store.pause(namespace, group, { reason: why, by });
    return this.#steered('paused', steered, { namespace, group, by, reason: why });
  }

  async resume(caller: BusCaller, { namespace, group, reason }: ResumeGroupInput): Promise<SteeredGroup> {
    const by = operatorIn(caller);
    const steered = await this.#options.store.resume(namespace, group);
    return this.#steered('resumed', steered, { namespace, group, by, reason: reason ?? null });
  }

  async update(caller: BusCaller, { namespace, group, set }: UpdateGroupInput): Promise<SteeredGroup> {
    const by = operatorIn(caller);
    const steered = await this.#options.store.update(namespace, group, set);
    return this.#steered('updated', steered, { namespace, group, by, reason: null });
  }

  /** INVALID_INPUT for a position that is not of the log that there is. */
  async seek(caller: BusCaller, { namespace, group, to, dropOpen }: SeekGroupInput): Promise<SoughtGroup> {
    const by = operatorIn(caller);
    const sought = await this.#options.store.seek(namespace, group, await this.#targetOf(namespace, to), { dropOpen });
    const { id: groupId } = sought.state;
    const [before, position] = [formatPosition(sought.before), formatPosition(sought.cursor)];
    const { dropped } = sought;
    const data = { group, groupId, by, reason: null, before, position, dropped };
    this.#changed({ namespace, change: 'sought', data });
    return { group, groupId, before, position, dropped };
  }

  async delete(caller: BusCaller, { namespace, group, reason }: DeleteGroupInput): Promise<DeletedGroup> {
    const by = operatorIn(caller);
    const { id: groupId } = await this.#options.store.delete(namespace, group);
    this.#changed({ namespace, change: 'deleted', data: { group, groupId, by, reason: reason ?? null } });
    return { group, groupId };
  }

  #targetOf(namespace: string, to: SeekTarget): 'latest' | 'earliest' | LogPosition | Promise<LogPosition> {
    if (typeof to === 'string') return to;
    return 'after' in to
      ? positionIn(to.after, 'to.after')
      : this.#options.log.positionBefore(namespace, Date.parse(to.time));
  }

  #steered(
    change: 'paused' | 'resumed' | 'updated',
    { state, changed }: StoreAnswer,
    { namespace, group, by, reason }: { namespace: string; group: string; by: string; reason: string | null },
  ): SteeredGroup {
    const { id: groupId } = state;
    const settings = settingsShown(state);
    if (changed) {
      const data = { group, groupId, by, reason, ...(change === 'updated' ? { settings } : {}) };
      this.#changed({ namespace, change, data });
    }
    return { group, groupId, settings, paused: pauseShown(state.paused), changed };
  }

  #changed(notice: GroupNotice): void {
    this.#options.groups.changed(notice.namespace, notice.data.group);
    this.#options.onNotice(notice);
  }
}

function operatorIn(caller: BusCaller): string {
  if (caller.kind === 'operator' && !caller.readOnly) return sourceOf(caller);
  throw new SwarmError('FORBIDDEN', 'only an operator or admin token can pause, resume, seek, update or delete groups');
}
