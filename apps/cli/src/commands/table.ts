// All commands, in the order in which help and docs/cli.md show them.
import type { Command } from '../program/command.ts';
import { eventsExport } from '../events/export.ts';
import { eventsFind } from '../events/find.ts';
import { eventsImport } from '../events/import.ts';
import { eventsPreview } from '../events/preview.ts';
import { eventsPub } from '../events/pub.ts';
import { eventsRead } from '../events/read.ts';
import { eventsReq } from '../events/req.ts';
import { eventsTail } from '../events/tail.ts';
import { eventsTrace } from '../events/trace.ts';
import { goalSubmit } from '../follow/goal-submit.ts';
import { plansWatch } from '../follow/plans-watch.ts';
import { listen } from '../listen/listen.ts';
import { mcp } from '../mcp/mcp.ts';
import { top } from '../top/top.ts';
import { up } from '../up/up.ts';
import { agentsGet } from './agents/get.ts';
import { agentsHistory } from './agents/history.ts';
import { agentsLs } from './agents/ls.ts';
import { agentsRegister } from './agents/register.ts';
import { agentsRm } from './agents/rm.ts';
import { agentsWatch } from './agents/watch.ts';
import { auditLs, auditVerify } from './audit/audit.ts';
import { cheatOf } from './cheat/cheat.ts';
import { circuitReset, circuitTrip } from './circuit/circuit.ts';
import { cluster } from './cluster/cluster.ts';
import { completeOf } from './completion/complete.ts';
import { completion } from './completion/completion.ts';
import { contextAdd, contextLs, contextRm, contextUse } from './context/context.ts';
import { deadDiscard, deadLs, deadRedrive } from './dead/dead.ts';
import { doctor } from './doctor/doctor.ts';
import { goalCancel } from './goal/cancel.ts';
import { groupsGet } from './groups/get.ts';
import { groupsLs } from './groups/ls.ts';
import { groupsSeek } from './groups/seek.ts';
import { groupsPause, groupsResume, groupsRm, groupsUpdate } from './groups/steer.ts';
import { open } from './open/open.ts';
import { plansGet } from './plans/get.ts';
import { plansLs, plansRetry } from './plans/plans.ts';
import { policyApply, policyDiff } from './policy/change.ts';
import { policyExplain } from './policy/explain.ts';
import { policyGet } from './policy/get.ts';
import { policyHistory } from './policy/history.ts';
import { questionsAnswer, questionsLs } from './questions/questions.ts';
import { status } from './status/status.ts';
import { tokensCreate, tokensLs, tokensRevoke } from './tokens/tokens.ts';
import { whoami } from './whoami/whoami.ts';

export const commands: readonly Command[] = [
  up,
  contextAdd,
  contextUse,
  contextLs,
  contextRm,
  whoami,
  status,
  doctor,
  open,
  top,
  agentsLs,
  agentsGet,
  agentsWatch,
  agentsHistory,
  agentsRegister,
  agentsRm,
  circuitTrip,
  circuitReset,
  eventsPub,
  eventsReq,
  eventsRead,
  eventsTail,
  eventsFind,
  eventsTrace,
  eventsPreview,
  eventsExport,
  eventsImport,
  listen,
  groupsLs,
  groupsGet,
  groupsPause,
  groupsResume,
  groupsSeek,
  groupsUpdate,
  groupsRm,
  deadLs,
  deadRedrive,
  deadDiscard,
  goalSubmit,
  goalCancel,
  plansLs,
  plansGet,
  plansWatch,
  plansRetry,
  questionsLs,
  questionsAnswer,
  policyGet,
  policyDiff,
  policyApply,
  policyExplain,
  policyHistory,
  tokensCreate,
  tokensLs,
  tokensRevoke,
  cluster,
  auditLs,
  auditVerify,
  mcp,
  completion,
  completeOf(() => commands),
  cheatOf(() => commands),
];

/** What the commands of each group are about. */
export const groups: Readonly<Record<string, string>> = {
  context: 'Choose which core commands go to',
  agents: 'See and change agents',
  circuit: 'Refuse what an agent publishes, or accept it again',
  events: 'Publish events, read them, and find out what became of them',
  groups: 'See and steer consumer groups',
  dead: 'See dead letters, and deliver or discard them',
  goal: 'Goals for the Architect',
  plans: 'How the Architect carries goals out',
  questions: 'What agents ask people',
  policy: 'Who may do what',
  tokens: 'Tokens that let others in',
  audit: 'What operators and admins did',
};
