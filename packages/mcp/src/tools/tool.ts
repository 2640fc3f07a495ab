// What a tool is: its words for models, its input, and the calls that it makes as the agent that uses it.
import type { CallerKind, KnownFields, ProcedureName } from '@hypercode/contracts';
import { AgentName, knownFieldsOf, Namespace } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import type { Call } from '@hypercode/server';
import { z } from 'zod';
import { AnswerPart } from '../answers/fit-answer.ts';
import type { ToolAnswer } from '../answers/tool-answer.ts';

/** A call of a tool: every procedure that it calls runs with the rights of `call.identity`. */
export interface ToolCall {
  readonly call: Call;
  /** Whose rights the call has: the caller's, or those of the agent that it names by `as`. */
  readonly principal: Principal;
  readonly namespace: string;
}

export interface ToolWords {
  readonly name: string;
  readonly title: string;
  /** For models: what it does, when to use it, and an example. */
  readonly description: string;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
  /** The procedures that it calls; a token that may not call one of them is not shown the tool. The first gives the room of its answer. */
  readonly calls: readonly [ProcedureName, ...ProcedureName[]];
  /** Kinds of token that it is for. Default: all that may call the procedures. */
  readonly kinds?: readonly CallerKind[];
  /** The topic that it publishes on, whatever its input: an agent whose policy denies it is not shown the tool. */
  readonly publishes?: string;
  /** Whether a join token uses it without an agent. */
  readonly withoutAgent?: true;
  /** Whether it is there only for requests of `/mcp?admin=true`. */
  readonly administration?: true;
  /** Whether its answer can be cut. */
  readonly long?: true;
}

export interface Tool extends ToolWords {
  readonly input: z.ZodObject;
  readonly known: KnownFields | null;
  run(call: ToolCall, input: never): Promise<ToolAnswer>;
}

/** The fields that tools take besides their own. */
const COMMON = {
  as: AgentName.optional().describe(
    'The name that you joined under with `join`: the call runs with the rights of that agent.',
  ),
  namespace: Namespace.optional().describe('The namespace. Default: that of the token, or `default`.'),
};
const PART = { part: AnswerPart.optional().describe('Only this part of the answer, as `cut` of an answer names it.') };

/** What every call can say. */
export interface CommonInput {
  readonly as?: string | undefined;
  readonly namespace?: string | undefined;
  readonly part?: AnswerPart | undefined;
}

/** A tool with the type of its input. */
export function tool<Shape extends z.core.$ZodLooseShape>(
  words: ToolWords,
  shape: Shape,
  run: (call: ToolCall, input: z.output<z.ZodObject<Shape>>) => Promise<ToolAnswer>,
): Tool {
  const input = z.object({ ...shape, ...COMMON, ...(words.long ? PART : {}) }) as unknown as z.ZodObject;
  return { ...words, input, known: knownFieldsOf(input), run };
}
