// What the signals that go over a connection share: one link at a time, reconnecting, coalescing.
import { createHash, randomUUID } from 'node:crypto';
import { type Clock, sleep, systemClock } from '@hypercode/clock';
import { asError, createReport, createSignalListeners, type Signal, type SignalOptions } from '@hypercode/feed';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const MAX_PENDING = 10_000;
const MAX_CHANNEL_LENGTH = 256;

export interface LinkedSignalOptions extends SignalOptions {
  clock?: Clock;
}

/** One established connection to the other replicas. A lost one is thrown away and never repaired. */
export interface SignalLink {
  /** Sends each payload (ASCII, at most 2 KiB) to every replica, this one included. Rejects when that may have failed. */
  send(payloads: readonly string[]): Promise<void>;
  /** Settles with the reason when the connection is lost. */
  readonly lost: Promise<Error>;
  /** Ends the connection, whatever state it is in. Never rejects. */
  close(): Promise<void>;
}

export interface OpenLinkOptions {
  /** Gets the payloads that any replica has sent. */
  receive: (payload: string) => void;
  /** Asks to give up connecting. */
  abort: AbortSignal;
}

/**
 * A signal over the links that `open` makes:
 *
 * - connecting: `open` runs. Succeeds → linked (all subscribers are woken, `onLinked` is called). Fails → waiting.
 * - linked: wake-ups are sent, one batch under way at a time. The link is lost, or a batch fails → waiting.
 * - waiting: 50 ms, doubling up to 2 s, less up to half of it by chance. Then → connecting.
 * - closed: from everywhere, by `close`.
 *
 * Local listeners are woken directly in all states, so that an outage of the link does not delay this replica's own.
 */
export function createLinkedSignal(
  open: (options: OpenLinkOptions) => Promise<SignalLink>,
  { clock = systemClock, ...options }: LinkedSignalOptions,
): Signal {
  const report = createReport(options);
  const listeners = createSignalListeners(report);
  const origin = randomUUID();
  const closing = new AbortController();
  const pending = new Set<string>();
  let link: { connection: SignalLink; isSending: boolean; fail: (error: Error) => void } | undefined;

  function receive(payload: string): void {
    const wakeUp = decode(payload);
    if (wakeUp && wakeUp.origin !== origin) listeners.wake(wakeUp.channel);
  }

  function flush(): void {
    const current = link;
    if (!current || current.isSending || pending.size === 0) return;
    const channels = [...pending];
    pending.clear();
    current.isSending = true;
    current.connection.send(channels.map((channel) => encode(origin, channel))).then(
      () => {
        current.isSending = false;
        flush();
      },
      (error: unknown) => {
        for (const channel of channels) pending.add(channel);
        current.fail(asError(error));
        flush();
      },
    );
  }

  /** One link, from connecting to its end. Resolves with the reason of the end. */
  async function runLink(onLinked: () => void): Promise<Error> {
    const connection = await open({ receive, abort: closing.signal });
    const failed = Promise.withResolvers<Error>();
    link = { connection, isSending: false, fail: failed.resolve };
    const stop = () => failed.resolve(new Error('closed'));
    closing.signal.addEventListener('abort', stop);
    if (closing.signal.aborted) stop();
    onLinked();
    const reason = await Promise.race([connection.lost, failed.promise]);
    link = undefined;
    closing.signal.removeEventListener('abort', stop);
    await connection.close();
    return reason;
  }

  async function run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    let isReported = false;
    while (!closing.signal.aborted) {
      const onLinked = () => {
        retryMs = FIRST_RETRY_MS;
        isReported = false;
        listeners.linked();
        flush();
      };
      const reason = await runLink(onLinked).catch(asError);
      if (closing.signal.aborted) return;
      if (!isReported) report(reason);
      isReported = true;
      await sleep(clock, retryMs * (0.5 + clock.random() / 2), closing.signal);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }

  const running = run();
  return {
    notify(channel, except) {
      if (closing.signal.aborted) return;
      const name = wireName(channel);
      listeners.wake(name, except);
      if (pending.size < MAX_PENDING) pending.add(name);
      flush();
    },
    subscribe: (channel, listener) =>
      closing.signal.aborted ? () => undefined : listeners.subscribe(wireName(channel), listener),
    onLinked: (listener) => (closing.signal.aborted ? () => undefined : listeners.onLinked(listener)),
    get linked() {
      return link !== undefined;
    },
    async close() {
      closing.abort();
      listeners.close();
      pending.clear();
      await running;
    },
  };
}

/** A channel's name as it travels: long names are replaced by their hash, since links limit a payload's size. */
function wireName(channel: string): string {
  if (channel.length <= MAX_CHANNEL_LENGTH) return channel;
  return `sha256:${createHash('sha256').update(channel, 'utf16le').digest('hex')}`;
}

/** ASCII only: no store refuses NUL or a lone surrogate that way, and length counts bytes. */
function encode(origin: string, channel: string): string {
  const text = JSON.stringify([origin, channel]);
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function decode(payload: string): { origin: string; channel: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [origin, channel]: unknown[] = value;
  return typeof origin === 'string' && typeof channel === 'string' ? { origin, channel } : undefined;
}
