// The planner that asks a language model. The answer is checked, and never trusted; when it is unusable, the next
// planner is asked.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { Goal, PlanTask } from '@hypercode/contracts';
import {
  APICallError,
  extractJsonMiddleware,
  generateText,
  type LanguageModel,
  type ModelMessage,
  NoObjectGeneratedError,
  Output,
  TypeValidationError,
  wrapLanguageModel,
} from 'ai';
import { z } from 'zod';
import type { Logger } from '../logger.ts';
import { boundedFetch, NoAnswer } from './bounded-fetch.ts';
import { Draft, INSTRUCTIONS, promptOf, readDraft, repairPrompt } from './draft-plan.ts';
import { offeredCapabilities, type OfferedCapability } from './offered-capabilities.ts';
import type { Planner } from './planner.ts';

export interface ModelPlannerOptions {
  /** Base address of an OpenAI-compatible API: `/chat/completions` is appended. */
  readonly url: string;
  readonly model: string;
  /** Sent as bearer token, and shown nowhere. Default: none. */
  readonly key?: string | undefined;
  readonly logger: Pick<Logger, 'warn'>;
  /** For a plan, with its repair. Default 60,000. */
  readonly timeoutMs?: number;
  /** Default: the one of the process. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Largest answer that is read, in bytes. A hundred tasks take far less. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** How much of a faulty answer the model is shown again, in characters. */
const SHOWN_ANSWER_LENGTH = 32_768;
/** The first answer and its repair. */
const ROUNDS = 2;

/** The plan in an answer (without tasks: there is no way), or what is wrong with it. */
type Reading =
  | { readonly tasks: readonly PlanTask[] }
  | { readonly faults: readonly string[]; readonly answer: string };

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
  fetch = globalThis.fetch,
}: ModelPlannerOptions): Planner {
  const provider = createOpenAICompatible({
    name: 'architect-model',
    baseURL: url,
    supportsStructuredOutputs: true,
    fetch: boundedFetch(fetch, MAX_ANSWER_BYTES),
    ...(key === undefined ? {} : { apiKey: key }),
  });
  const asked = wrapLanguageModel({
    model: provider(model),
    middleware: extractJsonMiddleware({ transform: withoutWrapping }),
  });
  return {
    name: 'model',
    async plan(goal, agents, { signal }) {
      const { goalId } = goal;
      const offered = offeredCapabilities(agents);
      if (offered.length === 0) return null;
      const deadline = AbortSignal.timeout(timeoutMs);
      const bounded = AbortSignal.any([signal, deadline]);
      try {
        const made = await askForPlan(asked, goal, offered, bounded);
        if ('tasks' in made && made.tasks.length > 0) return made.tasks;
        // The faults quote the answer, and the server that gave it knows the key.
        if ('tasks' in made) logger.warn({ goalId }, 'the model found no plan for the goal');
        else logger.warn({ goalId, faults: made.faults.length }, 'the model returned no valid plan');
      } catch (error) {
        signal.throwIfAborted();
        const reason = deadline.aborted ? `the model did not answer within ${timeoutMs} ms` : reasonOf(error);
        logger.warn({ goalId, reason }, 'the model could not be asked for a plan');
      }
      return null;
    },
  };
}

async function askForPlan(
  model: LanguageModel,
  goal: Goal,
  offered: readonly OfferedCapability[],
  signal: AbortSignal,
): Promise<Reading> {
  const messages: ModelMessage[] = [{ role: 'user', content: promptOf(goal, offered) }];
  for (let round = 1; ; round += 1) {
    const read = await ask(model, messages, signal, (draft) => readDraft(draft, goal, offered));
    if ('tasks' in read || round === ROUNDS) return read;
    messages.push({ role: 'assistant', content: read.answer.slice(0, SHOWN_ANSWER_LENGTH) || '(nothing)' });
    messages.push({ role: 'user', content: repairPrompt(read.faults) });
  }
}

async function ask(
  model: LanguageModel,
  messages: ModelMessage[],
  abortSignal: AbortSignal,
  read: (draft: Draft) => ReturnType<typeof readDraft>,
): Promise<Reading> {
  try {
    const { output, text } = await generateText({
      model,
      instructions: INSTRUCTIONS,
      messages,
      output: Output.object({ schema: Draft, name: 'plan' }),
      maxRetries: 0,
      abortSignal,
      telemetry: { isEnabled: false },
    });
    return { answer: text, ...read(output) };
  } catch (error) {
    if (!NoObjectGeneratedError.isInstance(error)) throw error;
    return { faults: [shapeFault(error.cause)], answer: error.text ?? '' };
  }
}

/** Why an answer is no draft, in words that repeat nothing of it. */
function shapeFault(cause: unknown): string {
  const invalid = TypeValidationError.isInstance(cause) ? cause.cause : undefined;
  if (!(invalid instanceof z.core.$ZodError)) return 'the answer must be JSON';
  return invalid.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
    .join('; ');
}

/** Why there was no answer. Nothing of the answer is repeated, because the server knows the key. */
function reasonOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof NoAnswer) return cause.message;
    if (
      APICallError.isInstance(cause) &&
      cause.statusCode !== undefined &&
      (cause.statusCode < 200 || cause.statusCode > 299)
    ) {
      return `the model answered with status ${cause.statusCode}`;
    }
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z_]{1,40}$/.test(cause.code))
      return `the connection failed: ${cause.code}`;
  }
  return APICallError.isInstance(error) ? 'the answer is not a chat completion' : 'the model did not answer';
}

/** Removes what models put around JSON: fences, thoughts, a sentence. */
function withoutWrapping(text: string): string {
  const answer = text.slice(text.lastIndexOf('</think>') + 1);
  const begin = answer.indexOf('{');
  return begin === -1 ? text : answer.slice(begin, answer.lastIndexOf('}') + 1);
}
