// A server in a container, where a Docker engine answers.
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { onDeath } from './death-guard.ts';
import { freePort } from './free-port.ts';
import type { Address, Machine } from './server-machine.ts';
import { waitFor } from './wait-for.ts';

export interface ContainerOptions {
  image: string;
  /** The port that the server has inside. Outside it keeps one port for its whole life. */
  containerPort: number;
  command: string[];
  environment?: Record<string, string>;
  /** Resolves when the server answers as ours, and rejects when it does not (yet). */
  ping: (address: Address) => Promise<void>;
}

/** Starts a container and resolves when its server answers. Fails when no engine answers or the image is not to be had. */
export async function startContainer(options: ContainerOptions): Promise<Machine> {
  if (!(await engineAnswers())) throw new Error('no Docker engine answers');
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const { container: containers } = await getContainerRuntimeClient();
  const port = await freePort();
  const started = await new GenericContainer(options.image)
    .withExposedPorts({ container: options.containerPort, host: port })
    .withEnvironment(options.environment ?? {})
    .withCommand(options.command)
    .start();
  const container = containers.getById(started.getId());
  const release = onDeath('docker rm --force --volumes "$1"', started.getId());

  const address = { host: started.getHost(), port };
  let isRunning = true;
  const answers = () =>
    waitFor(() => options.ping(address).then(() => true), { what: options.image, timeoutMs: 60_000 });
  const machine = {
    address,
    async start() {
      if (!isRunning) await containers.start(container);
      isRunning = true;
      await answers();
    },
    async stop() {
      if (isRunning) await containers.stop(container, { timeout: 15 });
      isRunning = false;
    },
    async kill() {
      if (isRunning) await container.kill({ signal: 'SIGKILL' });
      isRunning = false;
    },
    async remove() {
      await container.remove({ force: true, v: true });
      release();
    },
  };
  try {
    await answers();
  } catch (error) {
    await machine.remove();
    throw error;
  }
  return machine;
}

/** Whether an engine takes connections. The client binary proves nothing: it is often there without an engine. */
async function engineAnswers(): Promise<boolean> {
  const given = process.env['DOCKER_HOST'];
  if (given) {
    const url = new URL(given);
    if (url.protocol === 'unix:') return accepts({ path: url.pathname });
    return accepts({ host: url.hostname, port: Number(url.port || (url.protocol === 'ssh:' ? 22 : 2375)) });
  }
  const sockets = [
    '/var/run/docker.sock',
    `${process.env['XDG_RUNTIME_DIR'] ?? ''}/docker.sock`,
    `${homedir()}/.docker/run/docker.sock`,
    `${homedir()}/.docker/desktop/docker.sock`,
  ];
  for (const path of sockets) if (existsSync(path) && (await accepts({ path }))) return true;
  return false;
}

function accepts(address: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.setTimeout(2_000, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
