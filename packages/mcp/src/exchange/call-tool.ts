// Calls a tool: its input checked, its speaker found, its answer or its refusal as a result of the protocol.
import { invalidInput, SwarmError } from '@hypercode/contracts';
import { issuesOfUnknown, servedProcedure, toRefusal } from '@hypercode/server';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { refusalResult, resultOf } from '../answers/tool-answer.ts';
import type { CommonInput, Tool } from '../tools/tool.ts';
import { isFor } from '../tools/tools.ts';
import type { McpCaller } from './caller.ts';
import { namespaceFor, speakerOf } from './speaker.ts';

/** Never rejects: what is refused is a result that says what to do. */
export async function callTool(caller: McpCaller, tool: Tool, given: unknown): Promise<CallToolResult> {
  try {
    return await answerOf(caller, tool, given);
  } catch (thrown) {
    const refusal = toRefusal(thrown);
    caller.core.onRefusal(refusal, { log: caller.log, path: `mcp.${tool.name}` });
    return refusalResult(refusal, tool.name);
  }
}

async function answerOf(caller: McpCaller, tool: Tool, given: unknown): Promise<CallToolResult> {
  const { core, identity } = caller;
  if (!isFor(tool, identity.principal, caller)) throw new SwarmError('FORBIDDEN', 'this token may not use this tool');
  const input = inputOf(tool, given);
  const speaker = await speakerOf(core, identity, { as: input.as, tool });
  const call = await caller.begin(servedProcedure(tool.calls[0]).declared, speaker);
  const toolCall = { call, principal: speaker.principal, namespace: namespaceFor(speaker, input) };
  const { as: _, namespace: __, part, ...own } = input;
  return resultOf(await tool.run(toolCall, own as never), part);
}

/** INVALID_INPUT, with every fault that is found. */
function inputOf({ input, known }: Tool, given: unknown = {}): CommonInput {
  const unknown = issuesOfUnknown(given, known, null);
  const { success, data, error } = input.safeParse(given);
  if (!success || unknown.length > 0) throw invalidInput({ issues: [...unknown, ...(error?.issues ?? [])] });
  return data;
}
