// From what a command threw to one clear line, what to do, and the exit code.
import { SwarmError } from '@hypercode/client';
import { shellWord } from '../output/shell-word.ts';
import type { CommandContext } from './context.ts';
import { EXIT, EXIT_OF, type ExitCode, Failure } from './exit-codes.ts';

interface Explanation {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export async function explainError(thrown: unknown, context: CommandContext): Promise<Explanation> {
  if (thrown instanceof Failure) return thrown;
  const error = SwarmError.from(thrown);
  if (error.is('INTERNAL') && thrown instanceof Error && !(thrown instanceof SwarmError)) {
    return { exitCode: EXIT.no, message: `${thrown.name}: ${thrown.message}`, hint: 'this is a fault of swarm itself' };
  }
  return { exitCode: EXIT_OF[error.code], message: error.message, hint: await hintFor(error, context) };
}

async function hintFor(error: SwarmError, context: CommandContext): Promise<string | undefined> {
  const target = await context.target().catch(() => null);
  if (target === null) return undefined;
  if (error.is('UNAVAILABLE')) {
    return `core ${target.url} (from ${target.from}). Is it running? swarm doctor checks more; --url, SWARM_URL or swarm context use choose another`;
  }
  if (error.is('UNAUTHENTICATED')) {
    return `the token is from ${target.from}, for ${target.url}. Give another with --token-file or SWARM_TOKEN, or choose a context`;
  }
  if (error.is('FORBIDDEN')) return namespaceHint(context, target.namespace ?? 'default');
  if (error.is('ACL_DENIED')) return policyHint(error, context);
  if (error.is('CIRCUIT_OPEN')) return circuitHint(error, context);
  if (error.is('RATE_LIMITED') && error.retryAfterMs !== undefined) {
    return `try again in ${Math.ceil(error.retryAfterMs / 1000)} s`;
  }
  return undefined;
}

/** Which rule decides, for an operator: an agent may not ask. */
async function policyHint({ details }: SwarmError<'ACL_DENIED'>, context: CommandContext): Promise<string> {
  const me = await context.whoami().catch(() => null);
  const name = me?.kind === 'agent' ? me.name : 'AGENT';
  if (details === undefined || details.action === 'offer') return 'swarm policy get shows the rules';
  const what = details.action === 'consume' ? details.group : details.topic;
  return `an operator sees which rule decides: swarm policy explain ${name} ${details.action} ${shellWord(what)}`;
}

/** When it closes by itself, and how an operator closes it. */
async function circuitHint({ retryAfterMs = 0 }: SwarmError<'CIRCUIT_OPEN'>, context: CommandContext): Promise<string> {
  const me = await context.whoami().catch(() => null);
  const name = me?.kind === 'agent' ? me.name : 'AGENT';
  const again = retryAfterMs > 0 ? `try again in ${Math.ceil(retryAfterMs / 1000)} s` : 'try again later';
  return `nothing was published: ${again}; an operator sees why with swarm agents get ${name}, and closes it with swarm circuit reset ${name}`;
}

/** A token of another namespace is the commonest reason. */
async function namespaceHint(context: CommandContext, asked: string): Promise<string | undefined> {
  const me = await context.whoami().catch(() => null);
  if (me === null) return undefined;
  if (me.namespace !== null && me.namespace !== asked)
    return `this token (${me.kind} "${me.name}") belongs to the namespace ${me.namespace}: give --namespace ${me.namespace}`;
  return `this token is of the kind ${me.kind}; swarm whoami shows what it may do`;
}
