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
import { top } from '../top/top.ts';
import { agentsGet } from './agents/get.ts';
import { agentsLs } from './agents/ls.ts';
import { whoami } from './whoami/whoami.ts';

export const commands: readonly Command[] = [
  whoami,
  agentsLs,
  agentsGet,
  eventsPub,
  eventsReq,
  eventsRead,
  eventsTail,
  eventsFind,
  eventsTrace,
  eventsPreview,
  eventsExport,
  eventsImport,
  goalSubmit,
  plansWatch,
  listen,
  top,
];

/** What the commands of each group are about. */
export const groups: Readonly<Record<string, string>> = {
  events: 'Publish events, read them, and find out what became of them',
  goal: 'Give goals to the Architect',
  plans: 'See plans, and follow them',
  agents: 'See and change agents',
};
