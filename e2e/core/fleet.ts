// Many agents of one namespace that beat by the plain route, from one process: what is wrong with one is wrong with few.
import { callBatch, type Core, registration, send } from '@hypercode/core-runtime/testing';

/** Registrations in one request. */
const BATCH = 50;
/** Beats go out in so many portions, so that they do not come all at once. */
const PORTIONS = 20;

export class Fleet {
  readonly names: readonly string[];
  readonly #core: Core;
  readonly #namespace: string;
  readonly #tokens: ReadonlyMap<string, string>;
  /** Those that beat. */
  readonly #present: Set<string>;
  readonly #timer: NodeJS.Timeout;
  #portion = 0;

  private constructor(
    core: Core,
    tokens: ReadonlyMap<string, string>,
    { namespace, beatMs }: { namespace: string; beatMs: number },
  ) {
    this.names = [...tokens.keys()];
    this.#core = core;
    this.#namespace = namespace;
    this.#tokens = tokens;
    this.#present = new Set(this.names);
    this.#timer = setInterval(() => this.#beat(), beatMs / PORTIONS);
  }

  /** Registers so many agents, each of which beats every `beatMs` from then on. */
  static async start(
    core: Core,
    { namespace, count, beatMs }: { namespace: string; count: number; beatMs: number },
  ): Promise<Fleet> {
    const tokens = new Map<string, string>();
    for (let from = 0; from < count; from += BATCH) {
      const names = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => `agent-${from + i}`);
      const inputs = names.map((name) => registration(name, { namespace }));
      for (const { agent, token } of await callBatch(core, 'registry.register', inputs)) {
        if (token === undefined) throw new Error('the core gave no token');
        tokens.set(agent.name, token);
      }
    }
    return new Fleet(core, tokens, { namespace, beatMs });
  }

  /** The first `count` that are present stop beating, all at once. Their names. */
  vanish(count: number): string[] {
    const gone = [...this.#present].slice(0, count);
    for (const name of gone) this.#present.delete(name);
    return gone;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    this.#portion = (this.#portion + 1) % PORTIONS;
    for (const [place, name] of this.names.entries()) {
      if (place % PORTIONS !== this.#portion || !this.#present.has(name)) continue;
      const path = `/v1/agents/${name}/heartbeat?namespace=${this.#namespace}`;
      void send(this.#core, { method: 'POST', path, token: this.#tokens.get(name) ?? '', body: '{}' });
    }
  }
}
