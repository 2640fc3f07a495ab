// The planner that asks a language model. The answer is checked, and never trusted; when it is unusable, the next
// planner is asked.
import { type Clock, systemClock, within } from '@hypercode/clock';
import type { Goal, PlanTask } from '@hypercode/contracts';
import type { z } from 'zod';
import type { Logger } from '../logger.ts';
import { NoAnswer } from './bounded-fetch.ts';
import { type AskOptions, type ChatAnswer, type ChatMessage, ChatModel, reasonOf } from './chat-model.ts';
import { Draft, INSTRUCTIONS, promptOf, readDraft, repairPrompt } from './draft-plan.ts';
import { fencedBlocks, objectsIn, withoutThoughts } from './json-in-text.ts';
import { offeredCapabilities, type OfferedCapability } from './offered-capabilities.ts';
import type { Planner } from './planner.ts';

export interface ModelPlannerOptions {
  /** Base address of an OpenAI-compatible API: `/chat/completions` is appended. */
  readonly url: string;
  readonly model: string;
  /** Sent as bearer token, and shown nowhere. Default: none. */
  readonly key?: string | undefined;
  readonly logger: Pick<Logger, 'warn'>;
  /** For a plan, with its repair and the pauses of a busy server; a goal with an earlier deadline has until then. Default 60,000. */
  readonly timeoutMs?: number;
  /** Default: the one of the system. */
  readonly clock?: Clock;
  /** Default: the one of the process. */
  readonly fetch?: typeof globalThis.fetch;
}

/** How much of a faulty answer the model is shown again, in characters. */
const SHOWN_ANSWER_LENGTH = 32_768;
/** The first answer and its repair. */
const ROUNDS = 2;

/** The plan in an answer (without tasks: there is no way), or what is wrong with it. */
type Reading =
  | { readonly tasks: readonly PlanTask[] }
  | { readonly faults: readonly string[]; readonly answer: ChatAnswer };

/**
 * Asks the model for a plan, and once more, with the faults named, when its answer is not a valid plan. Null, with a
 * warning in the log, when there is none then or no answer: the model is unavailable, refuses, or answers too late or
 * too much. Rejects only when the caller aborts.
 */
export function createModelPlanner({
  url,
  model,
  key,
  logger,
  timeoutMs = 60_000,
  clock = systemClock,
  fetch = globalThis.fetch,
}: ModelPlannerOptions): Planner {
  const asked = new ChatModel({ url, model, key, schema: Draft, clock, fetch });
  return {
    name: 'model',
    async plan(goal, agents, { signal }) {
      const { goalId } = goal;
      const offered = offeredCapabilities(agents);
      if (offered.length === 0) return null;
      const limitMs = Math.min(timeoutMs, goal.deadlineMs ?? Infinity);
      const patience = new AbortController();
      const options = {
        signal: AbortSignal.any([signal, patience.signal]),
        endsAtMs: clock.monotonicMs() + limitMs,
      };
      try {
        const made = await within(clock, limitMs, {
          work: askForPlan(asked, goal, offered, options),
          timeout: () => new NoAnswer(`the model did not answer within ${limitMs} ms`),
        });
        // The faults quote the answer, and the server that gave it knows the key.
        if ('faults' in made) {
          const reason = made.answer.flaw === null ? {} : { reason: FLAWS[made.answer.flaw] };
          logger.warn({ goalId, faults: made.faults.length, ...reason }, 'the model returned no valid plan');
        } else if (made.tasks.length > 0) return made.tasks;
        else logger.warn({ goalId }, 'the model found no plan for the goal');
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ goalId, reason: reasonOf(error) }, 'the model could not be asked for a plan');
      } finally {
        patience.abort();
      }
      return null;
    },
  };
}

const FLAWS: Readonly<Record<NonNullable<ChatAnswer['flaw']>, string>> = {
  'cut off': 'the answer was cut off at the length limit of the model',
  refused: 'the model refused to answer',
  filtered: 'the answer was withheld by a content filter',
};

async function askForPlan(
  model: ChatModel,
  goal: Goal,
  offered: readonly OfferedCapability[],
  options: AskOptions,
): Promise<Reading> {
  const messages: ChatMessage[] = [{ role: 'user', text: promptOf(goal, offered) }];
  for (let round = 1; ; round += 1) {
    const answer = await model.ask(INSTRUCTIONS, messages, options);
    const draft = draftIn(answer);
    const read = 'fault' in draft ? { faults: [draft.fault] } : readDraft(draft, goal, offered);
    if ('tasks' in read) return read;
    const isFinal = round === ROUNDS || answer.flaw === 'refused' || answer.flaw === 'filtered';
    if (isFinal) return { faults: read.faults, answer };
    messages.push({
      role: 'assistant',
      text: answer.texts[0]?.slice(0, SHOWN_ANSWER_LENGTH).toWellFormed() || '(nothing)',
    });
    messages.push({ role: 'user', text: repairPrompt(read.faults) });
  }
}

/** The draft in the answer, or why there is none, in words that repeat nothing of it. */
function draftIn({ texts, flaw }: ChatAnswer): Draft | { readonly fault: string } {
  let fault = flaw === 'cut off' ? `${FLAWS[flaw]}; it must be shorter` : 'the answer must be JSON';
  for (const text of texts) {
    const answer = withoutThoughts(text);
    // What stands in a fence is the answer, whatever follows it; thoughts may hold the answer, too.
    for (const part of [...fencedBlocks(answer).toReversed(), answer, text]) {
      const read = objectsIn(part).map((object) => Draft.safeParse(object));
      const drafts = read.flatMap(({ data }) => (data === undefined ? [] : [data]));
      // Models that think aloud correct themselves; an empty plan before or after another is a remark.
      const draft = drafts.findLast(({ tasks }) => tasks.length > 0) ?? drafts.at(-1);
      if (draft !== undefined) return draft;
      const invalid = read.at(-1)?.error;
      if (invalid !== undefined && flaw !== 'cut off') fault = shapeFault(invalid);
    }
  }
  return { fault };
}

/** Why an object is no draft. */
const shapeFault = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
    .join('; ');
