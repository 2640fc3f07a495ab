// The least of an event log on Redis: a script that appends what is new, and a blocking read. Without a client library
// of ours, groups of events, positions without holes, or anybody who asks who may.
import { Redis } from 'ioredis';

/** KEYS: record of the id, stream. ARGV: data, window in ms, most entries. Returns the entry's id; nil: it was there. */
const APPEND = `
  if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[2]) then
    return false
  end
  return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'e', ARGV[1])
`;
/** What the core keeps, and how long it knows an event again, by default. */
const MAX_EVENTS = 1_000_000;
const DEDUP_WINDOW_MS = 600_000;
const BLOCK_MS = 500;
const READ_LIMIT = 500;

type Entries = [id: string, fields: string[]][];

/** One connection. Topics are streams of their own. */
export class RedisLog {
  readonly #redis: Redis;
  readonly #append: string;

  private constructor(redis: Redis, append: string) {
    this.#redis = redis;
    this.#append = append;
  }

  static async connect(url: string): Promise<RedisLog> {
    const redis = new Redis(url);
    return new RedisLog(redis, String(await redis.script('LOAD', APPEND)));
  }

  /** Resolves when Redis has it; rejects when it had an event of this id already. */
  async publish(topic: string, data: unknown, id: string): Promise<void> {
    const keys = [`raw:id:${id}`, `raw:log:${topic}`];
    const entry = await this.#redis.evalsha(
      this.#append,
      keys.length,
      ...keys,
      JSON.stringify(data),
      DEDUP_WINDOW_MS,
      MAX_EVENTS,
    );
    if (entry === null) throw new Error(`Redis had ${id} already`);
  }

  /** An XADD and nothing else. */
  async append(topic: string, data: unknown): Promise<void> {
    await this.#redis.xadd(`raw:log:${topic}`, '*', 'e', JSON.stringify(data));
  }

  /** Calls `onData` with what is and will be in the topic's stream; the connection does nothing else. Returns what ends it. */
  listen(topic: string, onData: (data: unknown) => void): () => Promise<void> {
    const key = `raw:log:${topic}`;
    let hasEnded = false;
    const run = async () => {
      let after = '0';
      while (!hasEnded) {
        const read = await this.#redis.xread('COUNT', READ_LIMIT, 'BLOCK', BLOCK_MS, 'STREAMS', key, after);
        const entries = (read?.[0]?.[1] ?? []) as Entries;
        for (const [id, fields] of entries) {
          after = id;
          onData(JSON.parse(fields[1] ?? 'null'));
        }
      }
    };
    const running = run();
    return async () => {
      hasEnded = true;
      await running;
    };
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }
}
