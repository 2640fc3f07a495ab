// What a tool gives, and how it becomes the result of the protocol: what the core says beside what agents said, never mixed.
import type { SwarmError } from '@hypercode/contracts';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { adviceOn } from './advice.ts';
import { type AnswerPart, fitAnswer } from './fit-answer.ts';

export interface ToolAnswer {
  /** What happened and what to do next, in the core's own words: nothing that an agent chose. */
  readonly text: string;
  /** Facts of the core's own: ids, positions, numbers, states, times. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Everything that has words of agents in it. */
  readonly untrusted?: Readonly<Record<string, unknown>>;
}

/** How an answer that was cut says so. */
const CUT = 'The answer was cut: `untrusted.cut` names the parts. Call again with `part` for one of them.';

export function resultOf({ text, facts = {}, untrusted }: ToolAnswer, part?: AnswerPart): CallToolResult {
  if (untrusted === undefined) return result(text, { ...facts });
  const { value, cut } = fitAnswer(untrusted, part);
  const words = part === undefined ? (value as Record<string, unknown>) : { part: value };
  return result(cut.length === 0 ? text : `${text} ${CUT}`, {
    ...facts,
    untrusted: cut.length === 0 ? words : { ...words, cut },
  });
}

/** Many clients give a model the text alone, so what is structured is there as text as well, by itself, with the same names. */
const result = (text: string, structuredContent: Record<string, unknown>): CallToolResult => ({
  content: [
    { type: 'text', text },
    { type: 'text', text: JSON.stringify(structuredContent) },
  ],
  structuredContent,
});

/** A refusal: what the caller can do about it is the text; its message and details can repeat names, and are untrusted. */
export function refusalResult(refusal: SwarmError, tool: string): CallToolResult {
  const { code, message, retryable, retryAfterMs, details } = refusal;
  const { value } = fitAnswer({ message, ...(details === undefined ? {} : { details }) });
  return {
    isError: true,
    content: [{ type: 'text', text: `${code}: ${adviceOn(refusal, tool)}` }],
    structuredContent: {
      error: { code, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
      untrusted: value,
    },
  };
}
