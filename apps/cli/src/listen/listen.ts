// `listen`: runs a command for each event of a group, and acknowledges by its exit code.
import type { Delivery, SwarmEvent } from '@hypercode/client';
import type { WhoamiResult } from '@hypercode/contracts';
import { plainText } from '../output/plain-text.ts';
import { command, duration, flag, integer, list, text } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { wrongUsage } from '../program/exit-codes.ts';
import { Outage } from '../events/outage.ts';
import { exactText } from '../output/exact-json.ts';
import { childEnvironment, type PassedTarget } from './child-environment.ts';
import { OUTPUT_LIMIT, type RunEnd, runCommand } from './run-command.ts';

/** How long a stop waits for commands that end, in milliseconds: less than the program waits for the whole command. */
const STOP_LIMIT_MS = 1_800;
/** Most characters of the reason that the group keeps. */
const REASON_LENGTH = 500;

export const listen = command({
  path: ['listen'],
  summary: 'Run a command for each event',
  details:
    'The command runs as it is written (sh -c), with the event as JSON on its stdin; nothing of an event becomes part of the command. Exit ' +
    'code 0 acknowledges the event; any other gives it back, and the group delivers it again after a growing delay, until it is a dead ' +
    'letter. While the command runs, the deadline of the delivery is extended. Of the environment it has everything but names that begin ' +
    `with SWARM_; SWARM_EVENT_ID, SWARM_TOPIC, SWARM_POSITION and TRACEPARENT are about the event. At most ${OUTPUT_LIMIT / 1024 / 1024} MiB of the output of one run is passed ` +
    'on. After --timeout, and when listen ends, the command gets SIGTERM and a second later SIGKILL, with all that it has started.',
  calls: ['bus.consume', 'bus.ack', 'bus.nack', 'bus.extend'],
  args: {},
  options: {
    topics: list('PATTERN', 'Topics and patterns of the group; needed when the group is new', { completes: 'topic' }),
    exec: text('COMMAND', 'The command to run'),
    group: text('GROUP', "The consumer group (default: the agent's own, of an agent's token)", { completes: 'group' }),
    parallel: integer('How many commands may run at a time (default: 1)', { min: 1, max: 1_000 }),
    timeout: duration('How long a command may run (default: no limit)'),
    from: text('WHERE', 'Where a new group begins: latest or earliest (default: latest)', {
      choices: ['latest', 'earliest'],
    }),
    maxDeliveries: integer('Of a new group: how often an event is delivered before it is a dead letter (default: 5)', {
      min: 1,
      max: 1_000,
    }),
    passToken: flag('Give the command SWARM_URL, SWARM_TOKEN and SWARM_NAMESPACE, too'),
  },
  examples: [
    {
      run: `swarm listen --group notes --topics "note.>" --exec 'cat >> notes.jsonl'`,
      does: 'Append each event to a file',
      follows: true,
    },
    {
      run: `swarm listen --group builds --topics build.requested --parallel 2 --timeout 10m --exec './build.sh'`,
      does: 'Build what is requested, two builds at a time',
      follows: true,
    },
  ],
  async run(context, { options }) {
    const { exec, topics, parallel = 1, timeout: timeoutMs, from, maxDeliveries, passToken } = options;
    if (exec === undefined) throw wrongUsage('give the command with --exec COMMAND');
    const client = await context.client();
    const { url, token } = await context.target();
    const passed = passToken ? { url, token, namespace: await context.namespace() } : null;
    const listening: Listening = { exec, timeoutMs, passed, hasLines: parallel > 1 };
    const { output } = context;
    const outage = new Outage({ clock: context.clock, signal: context.signal, note: (line) => output.note(line) });
    // The core answers: from now on an outage is waited out.
    const me = await outage.call(() => client.whoami({}, { signal: context.signal }));
    const group = options.group ?? ownGroup(me);
    const consumer = client.consume(
      {
        group,
        topics: topics.length === 0 ? undefined : topics,
        from: from === 'earliest' ? 'earliest' : 'latest',
        maxDeliveries,
        maxInFlight: parallel,
        // A command ends by its own limit.
        maxHandlerMs: Infinity,
        onInterruption: outage.lost,
        onGap: ({ lost, reason }) => output.note(`${lost ?? 'some'} events went by unread: ${reason}`),
        onError: () => {},
        onDenied: (error) => output.note(`${error.message}; listening again when the policy allows it`),
      },
      (event, delivery) => {
        outage.answered();
        return runFor(context, listening, { event, delivery });
      },
    );
    const stop = (): void => void consumer.stop({ timeoutMs: STOP_LIMIT_MS });
    if (context.signal.aborted) stop();
    else context.signal.addEventListener('abort', stop, { once: true });
    await consumer.closed;
    await client.flush();
  },
});

/** The group that an agent has for itself. */
function ownGroup({ kind, name }: WhoamiResult): string {
  if (kind !== 'agent') throw wrongUsage(`give --group: a token of the kind ${kind} has no group of its own`);
  return name;
}

interface Listening {
  readonly exec: string;
  readonly timeoutMs: number | undefined;
  readonly passed: PassedTarget | null;
  /** Whether output is passed on in whole lines, since several commands may print at a time. */
  readonly hasLines: boolean;
}

interface Received {
  readonly event: SwarmEvent;
  readonly delivery: Delivery;
}

/** Throws when the command has failed, which gives the event back. */
async function runFor(context: CommandContext, listening: Listening, { event, delivery }: Received): Promise<void> {
  const { output, clock, env, signal } = context;
  const { exec, timeoutMs, passed, hasLines } = listening;
  const { position, attempt } = delivery;
  const printer = new OutputPrinter(context, hasLines);
  const end = await runCommand({
    command: exec,
    input: `${exactText(event)}\n`,
    env: childEnvironment(env, { position, event }, passed),
    clock,
    timeoutMs,
    signal: AbortSignal.any([signal, delivery.signal]),
    write: (stream, chunk) => printer.write(stream, chunk),
  });
  printer.end();
  report(context, { event, position, attempt, end });
  await output.drained();
  if (end.failure !== null) throw new Error(end.failure.slice(0, REASON_LENGTH));
}

interface Report {
  readonly event: SwarmEvent;
  readonly position: string;
  readonly attempt: number;
  readonly end: RunEnd;
}

function report({ output }: CommandContext, { event, position, attempt, end }: Report): void {
  const { id, topic } = event;
  const { exitCode, failure, tookMs, isCut } = end;
  if (output.json) output.object({ id, topic, position, attempt, exitCode, failure, tookMs, isCut });
  if (isCut) output.note(`${topic} ${id}: the output was cut after ${OUTPUT_LIMIT} bytes`);
  if (failure !== null) output.note(`${topic} ${id}: attempt ${attempt} failed: ${failure}`);
}

/**
 * Passes the output of one run on: with `--json` stdout is for results, so it goes to stderr, too. On a terminal, control characters are
 * shown and not obeyed, since a command may print what is in an event.
 */
class OutputPrinter {
  readonly #context: CommandContext;
  readonly #hasLines: boolean;
  readonly #held = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };

  constructor(context: CommandContext, hasLines: boolean) {
    this.#context = context;
    this.#hasLines = hasLines;
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (!this.#hasLines && !this.#isTerminal(stream)) return this.#pass(stream, chunk);
    const bytes = Buffer.concat([this.#held[stream], chunk]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#held[stream] = bytes.subarray(end);
    if (end > 0) this.#pass(stream, bytes.subarray(0, end));
  }

  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#held[stream].length > 0) this.#pass(stream, Buffer.concat([this.#held[stream], Buffer.from('\n')]));
    }
  }

  #pass(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    const to = this.#to(stream);
    if (to.destroyed || to.writableEnded) return;
    if (!this.#isTerminal(stream)) to.write(bytes);
    else
      to.write(
        bytes
          .toString()
          .split('\n')
          .map((line) => plainText(line))
          .join('\n'),
      );
  }

  #to(stream: 'stdout' | 'stderr') {
    const { streams, json } = this.#context.output;
    return json ? streams.stderr : streams[stream];
  }

  #isTerminal(stream: 'stdout' | 'stderr'): boolean {
    return this.#to(stream).isTTY === true;
  }
}
