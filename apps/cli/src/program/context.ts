// What a command runs with: the core that it talks to, where it prints, and when it has to end.
import type { SwarmClient } from '@hypercode/client';
import type { Clock } from '@hypercode/clock';
import type { WhoamiResult } from '@hypercode/contracts';
import { findTarget, type Target } from '../connection/target.ts';
import { Output } from '../output/output.ts';
import { askWhether } from '../output/prompts.ts';
import type { Environment, Surroundings } from '../output/terminal.ts';
import { interrupted, refused, wrongUsage } from './exit-codes.ts';
import type { GlobalOptions } from './global-options.ts';

export class CommandContext {
  readonly output: Output;
  readonly global: GlobalOptions;
  readonly surroundings: Surroundings;
  #target: Promise<Target> | undefined;
  #client: Promise<SwarmClient> | undefined;

  constructor(surroundings: Surroundings, global: GlobalOptions) {
    this.surroundings = surroundings;
    this.global = global;
    this.output = new Output({ streams: surroundings, env: surroundings.env, json: global.json });
  }

  get clock(): Clock {
    return this.surroundings.clock;
  }

  get env(): Environment {
    return this.surroundings.env;
  }

  get signal(): AbortSignal {
    return this.surroundings.signal;
  }

  /** The core that the options, the environment, the contexts or the workspace name. */
  target(): Promise<Target> {
    return (this.#target ??= findTarget(this.surroundings, this.global));
  }

  /** The client of that core. It ends with the command. */
  client(): Promise<SwarmClient> {
    return (this.#client ??= this.target().then((target) => this.#connect(target)));
  }

  /** What the token is. Asked without a namespace, so that every token is answered. */
  async whoami(): Promise<WhoamiResult> {
    const client = await this.#connect({ ...(await this.target()), namespace: undefined });
    try {
      return await client.whoami({}, { signal: this.signal });
    } finally {
      await client.close();
    }
  }

  /** The namespace that calls are about. */
  async namespace(): Promise<string> {
    return (await this.target()).namespace ?? 'default';
  }

  /**
   * Asks before something that cannot be undone. With `--yes` it does not ask; without a terminal it fails, since nobody can answer.
   */
  async confirm(question: string): Promise<void> {
    if (this.global.yes) return;
    if (!this.output.canAsk) throw wrongUsage(`${question} Without a terminal to ask on, give --yes.`);
    const answer = await askWhether(this.output, question, this.signal);
    if (answer === null) throw interrupted();
    if (!answer) throw refused('nothing was changed');
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  async #connect({ url, token, namespace }: Target): Promise<SwarmClient> {
    const { createSwarmClient } = await import('@hypercode/client');
    return createSwarmClient({ url, token, namespace, logger: false });
  }
}
