// All commands, in the order in which help and docs/cli.md show them.
import type { Command } from '../program/command.ts';
import { agentsGet } from './agents/get.ts';
import { agentsLs } from './agents/ls.ts';
import { whoami } from './whoami/whoami.ts';

export const commands: readonly Command[] = [whoami, agentsLs, agentsGet];

/** What the commands of each group are about. */
export const groups: Readonly<Record<string, string>> = {
  agents: 'See and change agents',
};
