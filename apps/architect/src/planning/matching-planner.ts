// The built-in planner: matches the words of a goal with the capabilities of the agents. It asks no model, and the same
// goal and swarm always give the same plan.
import { fitting } from '@hypercode/plans';
import { type Goal, LIMITS, type PlanTask } from '@hypercode/contracts';
import { CapabilityIndex, type CapabilityMatch } from './capability-index.ts';
import { type Clause, clausesOf, isForbidding, isStatement, type Joint, refersBack } from './clauses.ts';
import { offeredCapabilities } from './offered-capabilities.ts';
import type { Planner } from './planner.ts';
import { stemsOf } from './word-stems.ts';

/** Most tasks of a title and of a description. The instruction of the last task gets the rest. */
const TITLE_TASKS = 10;
const DESCRIPTION_TASKS = 40;
/** A list of at least so many steps is the whole plan, and its heading is only a name. */
const STEPS_OF_A_WAY = 2;

/** A clause, or several that are one step together. */
interface Step {
  readonly text: string;
  readonly joint: Joint;
  readonly isItem: boolean;
  readonly body: number;
  readonly heads: number | null;
  readonly match: CapabilityMatch | null;
}

/** What becomes a task. */
interface Draft {
  readonly capability: string;
  readonly title: string;
  /** Lines for the agent of the task, a clause each. */
  readonly instruction: string[];
}

/** Drafts that can be done at the same time, after those of the stage before. */
type Stage = Draft[];

/**
 * Splits the text of the goal into clauses, and gives each the capability that its words match. A clause depends on the
 * one before it, unless "and" joins them and it does not refer to the other's result ("and publish it"). A clause that
 * matches no capability becomes part of the instruction of the step before. Null when no clause matches.
 */
export const matchingPlanner: Planner = {
  name: 'matching',
  plan: (goal, agents) => {
    const index = new CapabilityIndex(offeredCapabilities(agents));
    const stages = stagesOf(goal, index, false) ?? stagesOf(goal, index, true);
    return Promise.resolve(stages === null ? null : tasksOf(goal, stages));
  },
};

/** Null when nothing matches. `isLenient`: a word that most capabilities share is enough. */
function stagesOf({ title, description = '' }: Goal, index: CapabilityIndex, isLenient: boolean): Stage[] | null {
  const named = stepsOf(clausesOf(title), index, isLenient);
  const described = stepsOf(clausesOf(description), index, isLenient);
  const isWay = described.filter(({ isItem, match }) => isItem && match !== null).length >= STEPS_OF_A_WAY;
  if (isWay) return arrange(described, DESCRIPTION_TASKS);
  const capabilities = new Set(named.map(({ match }) => match?.capability));
  const details = described.map((step) =>
    step.match !== null && capabilities.has(step.match.capability) && isDetail(step, step.match)
      ? { ...step, match: null }
      : step,
  );
  const first = arrange(named, TITLE_TASKS);
  const others = new Set(details.map(({ match }) => match?.capability));
  const last = first?.flat().findLast(({ capability }) => !others.has(capability));
  const second = arrange(details, DESCRIPTION_TASKS, last);
  if (first !== null && second !== null) return merge(first, second);
  return first ?? second;
}

/** Whether it only adds to another step: "The report should be short" after "Write a report". */
const isDetail = ({ text, isItem }: Step, { isLed }: CapabilityMatch): boolean =>
  !isItem && (isStatement(text) || !isLed);

/**
 * Clauses with the capabilities that they match. Parts of a sentence are separate steps only if their capabilities
 * differ.
 */
function stepsOf(clauses: readonly Clause[], index: CapabilityIndex, isLenient: boolean): Step[] {
  const matchOf = (text: string): CapabilityMatch | null =>
    isForbidding(text) ? null : index.match(stemsOf(text), { isLenient, hasLead: !isStatement(text) });
  const groups: { first: Clause; texts: string[]; match: CapabilityMatch | null }[] = [];
  for (const clause of clauses) {
    const match = matchOf(clause.text);
    const last = groups.at(-1);
    const isOwn = match !== null && last?.match != null && match.capability !== last.match.capability;
    if (last === undefined || !clause.isJoined || isOwn) {
      groups.push({ first: clause, texts: [clause.text], match });
    } else {
      last.texts.push(clause.gap, clause.text);
      last.match ??= match;
    }
  }
  const steps = groups.map(({ first, texts, match }) => {
    const text = texts.join('');
    return { ...first, text, match: match ?? (texts.length > 1 ? matchOf(text) : null) };
  });
  return withoutHeadings(steps);
}

/** A heading of several steps is only their name. */
function withoutHeadings(steps: readonly Step[]): Step[] {
  const matched = new Map<number, number>();
  for (const { body, match } of steps) if (match !== null) matched.set(body, (matched.get(body) ?? 0) + 1);
  return steps.map((step) =>
    step.heads !== null && (matched.get(step.heads) ?? 0) >= STEPS_OF_A_WAY ? { ...step, match: null } : step,
  );
}

/** At most `room` drafts; null when no step matches. Text before the first draft goes to `previous`, if it is given. */
function arrange(steps: readonly Step[], room: number, previous?: Draft): Stage[] | null {
  const stages: Stage[] = [];
  const drafts: Draft[] = [];
  /** Text before the first draft, for its instruction. */
  const preface: string[] = [];
  let current = 0;
  for (const step of steps) {
    const { match, text } = step;
    const last = drafts.at(-1);
    const detailed = match === null || drafts.length === room ? last : detailedBy(step, match, drafts);
    if (detailed !== undefined || match === null) {
      (detailed?.instruction ?? previous?.instruction ?? preface).push(text);
      continue;
    }
    const draft = { capability: match.capability, title: titleOf(text), instruction: [...preface.splice(0), text] };
    drafts.push(draft);
    const isAside = step.joint === 'with' && !refersBack(text);
    if (last !== undefined && isAside) {
      stages[current]?.push(draft);
    } else if (last !== undefined && step.joint === 'before') {
      stages.splice(current, 0, [draft]);
    } else {
      current = stages.push([draft]) - 1;
    }
  }
  return drafts.length === 0 ? null : stages;
}

/** The draft to which the step only adds. */
function detailedBy(step: Step, match: CapabilityMatch, drafts: readonly Draft[]): Draft | undefined {
  if (!isDetail(step, match)) return undefined;
  const { capability } = match;
  const last = drafts.at(-1);
  if (last?.capability === capability) return last;
  return isStatement(step.text) ? drafts.findLast((draft) => draft.capability === capability) : undefined;
}

/**
 * The stages of title and description, in an order that contradicts neither; where both are free, the title comes
 * first. A capability in both is taken from the description, which has more text about it.
 */
function merge(title: readonly Stage[], description: readonly Stage[]): Stage[] {
  const described = new Set(description.flat().map(({ capability }) => capability));
  const stages: Stage[] = [];
  let next = 0;
  for (const stage of title) {
    const own = stage.filter(({ capability }) => !described.has(capability));
    const shared = new Set(stage.map(({ capability }) => capability));
    const ahead = description.slice(next).findIndex((each) => each.some(({ capability }) => shared.has(capability)));
    if (ahead !== -1) {
      stages.push(...description.slice(next, next + ahead + 1));
      next += ahead + 1;
      const last = stages.pop() ?? [];
      stages.push([...last, ...own]);
    } else if (own.length > 0) {
      stages.push(own);
    }
  }
  return [...stages, ...description.slice(next)];
}

function tasksOf({ title: goal }: Goal, stages: readonly Stage[]): PlanTask[] {
  const taken = new Set<string>();
  const tasks: PlanTask[] = [];
  let dependsOn: string[] = [];
  for (const stage of stages) {
    const ids: string[] = [];
    for (const { capability, title, instruction } of stage) {
      const taskId = freeId(capability, taken);
      taken.add(taskId);
      ids.push(taskId);
      tasks.push({
        taskId,
        title,
        capability,
        input: { goal, instruction: instruction.join('\n') },
        dependsOn: [...dependsOn],
      });
    }
    dependsOn = ids;
  }
  return tasks;
}

/** The capability's id, as far as a task's may go, with a number after it from the second task on. */
function freeId(capability: string, taken: ReadonlySet<string>): string {
  let id = capability.slice(0, LIMITS.taskIdLength);
  for (let count = 2; taken.has(id); count += 1) {
    const suffix = `-${count}`;
    id = capability.slice(0, LIMITS.taskIdLength - suffix.length) + suffix;
  }
  return id;
}

const titleOf = (clause: string): string =>
  clause.length > LIMITS.titleLength ? fitting(clause, LIMITS.titleLength) : clause.replace(/[ .,:;!…]+$/u, '');
