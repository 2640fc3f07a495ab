// What a throw-away server is to the tests, wherever it runs: a machine that can be stopped, started and killed.
import { installDebianPackage } from './debian-package.ts';

/** Where a server can come from, in the order in which they are tried. */
export const SERVER_SOURCES = ['url', 'docker', 'binary', 'apt'] as const;
export type ServerSource = (typeof SERVER_SOURCES)[number];

/** The control that a test has over a server. Stopping what is stopped and starting what runs does nothing. */
export interface ServerControl {
  /** False for a server that was given by its address: `stop`, `start`, `restart` and `kill` then throw. */
  readonly controllable: boolean;
  readonly source: ServerSource;
  /** Ends the server in order; its port and data stay. */
  stop(): Promise<void>;
  /** Resolves when the server answers again. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Ends the server and removes what it left. A server given by its address only loses what we created there. */
  close(): Promise<void>;
}

export interface Address {
  host: string;
  port: number;
}

/** A started server as a driver (container, local process) gives it. */
export interface Machine {
  readonly address: Address;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

export function controlOf(machine: Machine, source: ServerSource): ServerControl {
  let closing: Promise<void> | undefined;
  return {
    controllable: true,
    source,
    stop: () => machine.stop(),
    start: () => machine.start(),
    async restart() {
      await machine.stop();
      await machine.start();
    },
    kill: () => machine.kill(),
    close: () => (closing ??= machine.remove()),
  };
}

/** The verbs of a server that is not ours. */
export function withoutControl(variable: string, close: () => Promise<void>): ServerControl {
  const refuse = async () => {
    throw new Error(`The server given by ${variable} is not ours to stop or start (ask for \`own: true\`)`);
  };
  return { controllable: false, source: 'url', stop: refuse, start: refuse, restart: refuse, kill: refuse, close };
}

/** Gives the first server that a source can start, and otherwise fails with one line: `advice`, and what was tried. */
export async function firstAvailable<T>(
  attempts: readonly { source: ServerSource; start: () => Promise<T | undefined> }[],
  advice: string,
): Promise<T> {
  const reasons: string[] = [];
  for (const { source, start } of attempts) {
    try {
      const server = await start();
      if (server !== undefined) return server;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reasons.push(`${source}: ${message.trim().replaceAll(/\s*\n\s*/g, '; ')}`);
    }
  }
  throw new Error(reasons.length === 0 ? advice : `${advice} Tried: ${reasons.join(' | ')}`);
}

/** Where to look for a server of our own, in the order of `sources`. */
export function attemptsFrom<T>(
  sources: readonly ServerSource[],
  { container, here, debianPackage }: Drivers,
  serverOf: (machine: Machine, source: ServerSource) => T | Promise<T>,
): { source: ServerSource; start: () => Promise<T> }[] {
  const drivers: Record<Exclude<ServerSource, 'url'>, () => Promise<Machine>> = {
    docker: container,
    binary: here,
    apt: async () => {
      await installDebianPackage(debianPackage);
      return here();
    },
  };
  return sources.flatMap((source) => {
    if (source === 'url') return [];
    return [{ source, start: async () => serverOf(await drivers[source](), source) }];
  });
}

export interface Drivers {
  container: () => Promise<Machine>;
  /** From binaries on this machine. */
  here: () => Promise<Machine>;
  /** What to install where there are no binaries. */
  debianPackage: string;
}
