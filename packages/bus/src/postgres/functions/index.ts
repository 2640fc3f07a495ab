// The functions through which logs and consumer groups are written. Each is one round trip, so a client that stops holds no lock.
import type { FunctionSources } from '@hypercode/stores';
import { ack } from './ack.ts';
import { append, appendOfRelease4 } from './append.ts';
import { attemptOf } from './attempt-of.ts';
import { claim } from './claim.ts';
import { cut, removeSpared } from './cut.ts';
import { enterGroup } from './enter-group.ts';
import { extend } from './extend.ts';
import { gapOf } from './gap-of.ts';
import { giveBack } from './give-back.ts';
import { groupState, nextLife, replays } from './group-state.ts';
import { horizonOf } from './horizon-of.ts';
import { joinGroup } from './join-group.ts';
import { nack } from './nack.ts';
import { ackOfRelease3, claimOfRelease3 } from './of-release-3.ts';
import { openAttempts } from './open-attempts.ts';
import { openGroup } from './open-group.ts';
import { openLogs } from './open-logs.ts';
import { positionBefore } from './position-before.ts';
import { resolveDead } from './resolve-dead.ts';
import { resume } from './resume.ts';
import { retain } from './retain.ts';
import { showSigns } from './signs.ts';
import { deleteGroup, removeIdleGroup, seekGroup, steerGroup } from './steer-group.ts';
import { sweep } from './sweep.ts';

/** A function that another one calls comes before it. Raise `release` with the first change after a release. */
export const busFunctions: FunctionSources = {
  release: 5,
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
    openGroup,
    groupState,
    replays,
    nextLife,
    joinGroup,
    attemptOf,
    enterGroup,
    showSigns,
    openAttempts,
    claim,
    claimOfRelease3,
    ack,
    ackOfRelease3,
    nack,
    giveBack,
    extend,
    resolveDead,
    steerGroup,
    seekGroup,
    deleteGroup,
    removeIdleGroup,
  ],
};
