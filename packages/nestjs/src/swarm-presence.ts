// The agent's presence in the swarm over the life of the application: it registers first of all, and leaves last, since
// Nest calls the hooks of global modules before the others' when it starts, and after them when it ends.
import { type AgentDirectory, type ConnectedAgent, SwarmError } from '@hypercode/client';
import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { errorText } from './agent-log.ts';
import type { SwarmModuleOptions } from './swarm-options.ts';

export class SwarmPresence implements OnModuleInit, OnApplicationShutdown {
  readonly #agent: ConnectedAgent;
  readonly #directory: AgentDirectory | null;
  readonly #options: SwarmModuleOptions;
  readonly #logger = new Logger('Swarm');
  #isClosing = false;

  constructor(agent: ConnectedAgent, directory: AgentDirectory | null, options: SwarmModuleOptions) {
    this.#agent = agent;
    this.#directory = directory;
    this.#options = options;
  }

  /**
   * Waits for the core's first answer. A refusal that no retry can help fails the start. While the core can not be
   * reached, the application starts without it, and the agent goes on trying: a start that waited could not be ended by
   * a signal, since Nest lets it finish first.
   */
  async onModuleInit(): Promise<void> {
    this.#directory?.on('error', (error) => {
      if (!this.#isClosing && !error.is('FENCED')) this.#logger.error(`The directory has ended: ${errorText(error)}`);
    });
    const registering = this.#agent.register();
    try {
      const refusal = await Promise.race([registering, firstRefusal(this.#agent)]);
      if (refusal === undefined || !refusal.retryable) await registering;
      else this.#goOnWithoutCore(registering, refusal);
    } catch (error) {
      this.#logger.error(`${this.#subject()} was refused: ${errorText(error)}`);
      throw error;
    }
    this.#agent.on('fenced', (error) => this.#end(error));
  }

  async onApplicationShutdown(signal?: string): Promise<void> {
    await this.leave(signal === undefined ? 'the application was closed' : `the application was closed by ${signal}`);
  }

  /** From `expectEnd` on, an end of the agent is expected. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  expectEnd(): void {
    this.#isClosing = true;
  }

  async leave(reason: string): Promise<void> {
    this.expectEnd();
    await this.#directory?.stop();
    await this.#agent.stop(reason);
  }

  #goOnWithoutCore(registering: Promise<void>, refusal: SwarmError): void {
    // A logger that was given has the agent's own line.
    if (this.#options.logger === undefined) {
      this.#logger.warn(`${this.#subject()} is not registered yet and will retry: ${errorText(refusal)}`);
    }
    registering.catch((thrown: unknown) => {
      const error = SwarmError.from(thrown);
      // The agent's own event reports that.
      if (!error.is('FENCED')) this.#end(error);
    });
  }

  #end(error: SwarmError): void {
    if (this.#isClosing) return;
    this.#logger.error(`${this.#subject()} has ended for good: ${errorText(error)}`);
    const { onEnded = terminate } = this.#options;
    const run = async (): Promise<void> => void (await onEnded(error));
    run().catch((own: unknown) => this.#logger.error(`onEnded failed: ${errorText(own)}`));
  }

  #subject(): string {
    return `The agent "${this.#options.name}" of ${new URL(this.#options.url).host}`;
  }
}

const terminate = (): void => void process.kill(process.pid, 'SIGTERM');

function firstRefusal(agent: ConnectedAgent): Promise<SwarmError> {
  return new Promise((resolve) => {
    const release = agent.on('error', (error) => {
      release();
      resolve(error);
    });
  });
}
