// The procedures by which operators steer consumer groups.
import { z } from 'zod';
import {
  DeletedGroup,
  DeleteGroupInput,
  GroupUpdate,
  PauseGroupInput,
  ResumeGroupInput,
  SeekGroupInput,
  SoughtGroup,
  SteeredGroup,
  UpdateGroupInput,
} from '../group-steering.ts';
import { GetGroupInput, GetGroupResult } from '../group-view.ts';
import { LIMITS } from '../limits.ts';
import { mutation, query } from './procedure.ts';
import { OPERATE, READ } from './rights.ts';

/** Inputs as bodies; namespace and group are in the URL. */
const ReasonBody = PauseGroupInput.omit({ namespace: true, group: true }).meta({ id: 'GroupReasonBody' });
const SeekBody = SeekGroupInput.omit({ namespace: true, group: true }).meta({ id: 'GroupSeekBody' });
const UpdateBody = GroupUpdate.meta({ id: 'GroupUpdate' });
const SetBody = UpdateGroupInput.pick({ set: true }).meta({ id: 'GroupSetBody' });

export const groupsApi = {
  get: query({
    input: GetGroupInput,
    output: GetGroupResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Get a consumer group with its members and open deliveries',
    description: 'Takes nothing from the group. An agent sees the groups that it may consume.',
    rights: READ,
    errors: ['ACL_DENIED', 'NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/groups/{group}',
      operationId: 'getGroup',
      tag: 'groups',
      answers: { 200: 'The group, its members, and a page of what is in flight or waits.' },
    },
  }),

  pause: mutation({
    input: PauseGroupInput,
    output: SteeredGroup,
    summary: 'Pause a consumer group',
    description:
      'A paused group hands nothing out: claims answer at once with `paused: true`, and streams stay open and receive a `bookmark`. ' +
      'Acks and nacks of what is in flight still count, and deadlines still pass. A second pause changes nothing.',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/pause',
      operationId: 'pauseGroup',
      tag: 'groups',
      body: ReasonBody,
      bodyOptional: true,
      answers: { 200: 'The group.' },
    },
  }),

  resume: mutation({
    input: ResumeGroupInput,
    output: SteeredGroup,
    summary: 'Resume a paused consumer group',
    description: 'The group goes on where it stood. What retention has removed meanwhile is reported as a `gap`.',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/resume',
      operationId: 'resumeGroup',
      tag: 'groups',
      body: ReasonBody,
      bodyOptional: true,
      answers: { 200: 'The group.' },
    },
  }),

  seek: mutation({
    input: SeekGroupInput,
    output: SoughtGroup,
    summary: 'Move the cursor of a consumer group',
    description:
      'Only the cursor moves. Events that the group holds (in flight, waiting, dead) stay as they are, and are not read a second ' +
      'time. An event that was settled and is read again begins a new life: attempt 1, with a new `deliveryId`. With `dropOpen`, what ' +
      'is in flight or waiting is released first, and its acks count for nothing. Dead letters are never touched.',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'POST',
      path: '/v1/groups/{group}/seek',
      operationId: 'seekGroup',
      tag: 'groups',
      body: SeekBody,
      answers: { 200: 'Where the cursor was, and where it is.' },
    },
  }),

  update: mutation({
    input: UpdateGroupInput,
    output: SteeredGroup,
    summary: 'Change the settings of a consumer group',
    description:
      'Settings that are left out stay. No event is passed over: every event after the cursor is matched with the new topics. ' +
      'Deliveries in flight keep their deadlines. Consumers that name the settings that the group was made with may still join.',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'PATCH',
      path: '/v1/groups/{group}',
      operationId: 'updateGroup',
      tag: 'groups',
      body: z.union([UpdateBody, SetBody]),
      answers: { 200: 'The group.' },
    },
  }),

  delete: mutation({
    input: DeleteGroupInput,
    output: DeletedGroup,
    summary: 'Delete a consumer group, with everything that it holds',
    description:
      'Its streams and claims end with NOT_FOUND (`details.deleted`). A consumer that comes back with the `groupId` of the group ' +
      'gets the same, so the group stays deleted. A consumer that names no `groupId` makes a new group.',
    rights: OPERATE,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'DELETE',
      path: '/v1/groups/{group}',
      operationId: 'deleteGroup',
      tag: 'groups',
      answers: { 200: 'The group that was deleted.' },
    },
  }),
};
