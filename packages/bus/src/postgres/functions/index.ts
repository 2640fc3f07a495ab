// The functions through which logs and consumer groups are written. Each is one round trip, so a client that stops holds no lock.
import type { FunctionSources } from '@hypercode/stores';
import { ack, ackOfRelease4 } from './ack.ts';
import { append, appendOfRelease4 } from './append.ts';
import { attemptOf } from './attempt-of.ts';
import { claim } from './claim.ts';
import { countAcks } from './count-acks.ts';
import { cut, removeSpared } from './cut.ts';
import { bury, countReasons, deathReason, unbury, withAttempt } from './dead-letters.ts';
import { enterGroup } from './enter-group.ts';
import { extend } from './extend.ts';
import { gapOf } from './gap-of.ts';
import { giveBack } from './give-back.ts';
import { groupState, nextLife, replays } from './group-state.ts';
import { horizonOf } from './horizon-of.ts';
import { joinGroup } from './join-group.ts';
import { journalName, trimJournal } from './journal.ts';
import { nack } from './nack.ts';
import { openAttempts } from './open-attempts.ts';
import { openLogs } from './open-logs.ts';
import { beginGroup, cursorOf, cutPasses, noteGap, notePass, noteRead, noteSeek, passOver } from './passes.ts';
import { positionBefore } from './position-before.ts';
import { resolveDead, resolveDeadOfRelease4 } from './resolve-dead.ts';
import { resume } from './resume.ts';
import { retain } from './retain.ts';
import { showSigns } from './signs.ts';
import { deleteGroup, removeIdleGroup, seekGroup, seekOfRelease4, steerGroup } from './steer-group.ts';
import { sweep } from './sweep.ts';

/** A function that another one calls comes before it. Raise `release` with the first change after a release. */
export const busFunctions: FunctionSources = {
  release: 6,
  sources: [
    openLogs,
    gapOf,
    horizonOf,
    resume,
    removeSpared,
    cut,
    append,
    appendOfRelease4,
    retain,
    sweep,
    positionBefore,
    groupState,
    replays,
    nextLife,
    journalName,
    trimJournal,
    notePass,
    cutPasses,
    cursorOf,
    noteRead,
    noteGap,
    noteSeek,
    beginGroup,
    passOver,
    joinGroup,
    attemptOf,
    deathReason,
    withAttempt,
    countReasons,
    bury,
    unbury,
    countAcks,
    enterGroup,
    showSigns,
    openAttempts,
    claim,
    ack,
    ackOfRelease4,
    nack,
    giveBack,
    extend,
    resolveDead,
    resolveDeadOfRelease4,
    steerGroup,
    seekGroup,
    seekOfRelease4,
    deleteGroup,
    removeIdleGroup,
  ],
};
