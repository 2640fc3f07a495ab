// A policy from a file beside the one in force: what is different, and who loses what.
import { type ChangedPolicy, type PolicyRules, policyText } from '@hypercode/contracts';
import type { StructuredPatchHunk } from 'diff';
import { readJsonFile } from '../../connection/json-file.ts';
import type { Output } from '../../output/output.ts';
import { bold, cyan, dim, green, red, yellow } from '../../output/parts.ts';
import type { Surroundings } from '../../output/terminal.ts';

/** Reads the file: a policy, as `policy get --json` prints it, or its rules alone. The core checks the rules. */
export async function policyInFile(
  surroundings: Surroundings,
  file: string,
): Promise<{ readonly rules: PolicyRules; readonly version: number | undefined }> {
  const { version, effect: _, ...rules } = await readJsonFile(surroundings, file);
  // What is wrong with it, the core says best, with path and reason.
  return { rules: rules as unknown as PolicyRules, version: typeof version === 'number' ? version : undefined };
}

/** The lines of a unified diff, by its hunks; none when the rules are the same. */
export async function differences(inForce: PolicyRules, wanted: PolicyRules): Promise<StructuredPatchHunk[]> {
  const { structuredPatch } = await import('diff');
  return structuredPatch('', '', policyText(inForce), policyText(wanted), '', '', { context: 3 }).hunks;
}

export function printDifferences(output: Output, hunks: readonly StructuredPatchHunk[]): void {
  for (const { oldStart, newStart, lines } of hunks) {
    output.line(cyan(`@@ -${oldStart} +${newStart} @@`));
    for (const line of lines) output.line(line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line);
  }
}

/** Who loses what by the change. */
export function printEffect(output: Output, { effect: { agents, streams, complete } }: ChangedPolicy): void {
  output.line();
  if (agents.total === 0 && streams.total === 0) {
    output.line(green('No agent that is registered loses anything that it declares, and no stream ends.'));
  }
  if (agents.total > 0) output.line(bold(`${agents.total} agents lose something that they declare`));
  for (const { name, role, publish, subscribe, offers } of agents.list) {
    const losses = { publish, subscribe, offers };
    const lost = Object.entries(losses).flatMap(([what, list]) =>
      list.length === 0 ? [] : [`${what} ${list.join(' ')}`],
    );
    output.line([red('  - '), `${name} (${role}): ${lost.join('; ')}`]);
  }
  if (agents.total > agents.list.length) output.line(dim(`  and ${agents.total - agents.list.length} more`));
  if (streams.total > 0) output.line(bold(`${streams.total} open streams end`));
  for (const { name, role, kind, topics, group } of streams.list) {
    output.line([red('  - '), `${name} (${role}): ${kind} ${group ?? topics.join(' ')}`]);
  }
  if (streams.total > streams.list.length) output.line(dim(`  and ${streams.total - streams.list.length} more`));
  if (!complete) output.line(yellow('The namespace has more agents than were checked.'));
}
