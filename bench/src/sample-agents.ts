// Agents as a team would register them: about 1 KiB of JSON, found by role, capability, label, topic and words. They have no
// healthUrl, so that nobody is probed but where probes are measured.
import type { AgentRegistrationInput } from '@hypercode/contracts';

export const ROLES = ['analyst', 'builder', 'coder', 'reviewer', 'tester'] as const;
const SKILLS = [
  'compile',
  'deploy',
  'document',
  'estimate',
  'lint',
  'migrate',
  'profile',
  'refactor',
  'search',
  'triage',
];
export const REGIONS = ['eu-north', 'eu-west', 'us-east', 'us-west', 'ap-south'] as const;
/** Agents that share a team, and with it a label, a topic and a rare word: the same number however many agents there are. */
const TEAM_SIZE = 20;
/** A word that every third description has. */
export const COMMON_WORD = 'warehouse';

export const capabilities = SKILLS.map((skill) => `${skill}-code`);
export const teamsAmong = (population: number): number => Math.max(1, Math.floor(population / TEAM_SIZE));
export const teamName = (team: number): string => `team-${String(team).padStart(5, '0')}`;
/** A word that only a team's descriptions have. */
export const rareWord = (team: number): string => `codename${String(team).padStart(5, '0')}`;

/**
 * Agent number `index` out of `population`. Names begin with the role, as people name their agents, so the agents of a
 * role stand together in the order of names: pages cannot be filled by luck from the beginning of it.
 */
export function sampleAgent(index: number, population: number, prefix = ''): AgentRegistrationInput {
  const random = randomOf(index);
  const role = pick(ROLES, random());
  const first = Math.floor(random() * SKILLS.length);
  const second = (first + 1 + Math.floor(random() * (SKILLS.length - 1))) % SKILLS.length;
  const team = Math.floor(random() * teamsAmong(population));
  const name = `${role}-${prefix}${String(index).padStart(6, '0')}`;
  const about = index % 3 === 0 ? `the ${COMMON_WORD} services` : 'the storefront services';
  return {
    name,
    role,
    version: `1.${index % 50}.0`,
    description:
      `Works on ${about} for ${rareWord(team)}. Takes one task at a time, reports progress every few seconds, and ` +
      'asks for a review before anything that it has written is merged. Reads the conventions of a repository before it ' +
      'changes the first line of it, runs the tests that it touches, and says so when it is not certain of an answer.',
    topics: {
      publishes: [`metrics.${teamName(team)}.>`],
      subscribes: [`task.${name}.assigned`, 'goal.*'],
    },
    capabilities: [capabilityOf(SKILLS[first] ?? ''), capabilityOf(SKILLS[second] ?? '')],
    labels: { region: pick(REGIONS, random()), team: teamName(team) },
    incarnation: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  };
}

const capabilityOf = (skill: string) => ({
  id: `${skill}-code`,
  description: `Can ${skill} a repository of the team and explains in plain words what it did`,
  tags: ['typescript', skill],
});

function pick<T>(list: readonly T[], at: number): T {
  const item = list[Math.floor(at * list.length)];
  if (item === undefined) throw new Error('Nothing to pick from');
  return item;
}

/** The same numbers from 0 to 1 for the same index (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = (seed + 1) * 0x9e_37_79_b1;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
