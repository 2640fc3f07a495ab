// Starts the Architect in one mode: an application that listens, and reports when its mode must change.
import { systemClock } from '@hypercode/clock';
import type { SwarmModuleOptions } from '@hypercode/nestjs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { LIMITS } from '@hypercode/contracts';
import { AppModule } from './app.module.ts';
import { type Mode, VERSION } from './architect.ts';
import type { ArchitectConfig } from './config/parse-config.ts';
import { CoreLink } from './core-link.ts';
import { answerFrameworkError } from './http/problem-filter.ts';
import type { Logger } from './logger.ts';
import { ArchitectMetrics } from './metrics.ts';
import { nestLoggerOn } from './nest-logger.ts';
import { explicitPlanner } from './planning/explicit-planner.ts';
import { matchingPlanner } from './planning/matching-planner.ts';
import { createModelPlanner } from './planning/model-planner.ts';
import type { Planner } from './planning/planner.ts';
import { declaredTopics } from './rights.ts';

/** Why the mode changes. `fenced`: another process has the name. `seat-free`: the name is free. */
export type Turn = 'fenced' | 'seat-free';

export interface RunningArchitect {
  readonly url: string;
  /** Resolves when the mode must change. */
  readonly turn: Promise<Turn>;
  /** Stops it. Its agent drains, and is deregistered. */
  close(): Promise<void>;
}

/** A request body: a goal is an event. */
const BODY_LIMIT = LIMITS.eventBytes;
/** A request that takes longer to arrive is cut off, in milliseconds. */
const REQUEST_LIMIT_MS = 30_000;

/** Rejects with the core's refusal when the agent cannot be registered, and when the port is taken. */
export async function startArchitect(config: ArchitectConfig, mode: Mode, logger: Logger): Promise<RunningArchitect> {
  const { promise: turn, resolve } = Promise.withResolvers<Turn>();
  await expectFreePort(config);
  const core = new CoreLink({ url: config.swarmUrl, logger });
  const metrics = new ArchitectMetrics();
  const swarm: SwarmModuleOptions = {
    ...registrationOf(config, mode),
    logger: core.agentLogger,
    onEnded: () => resolve('fenced'),
  };
  const options = {
    config,
    mode,
    planners: plannersOf(config, logger),
    clock: systemClock,
    logger,
    core,
    metrics,
    onSeatFree: () => resolve('seat-free'),
  };
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_LIMIT_MS,
    frameworkErrors: answerFrameworkError,
  });
  adapter.getInstance().addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    metrics.answered({ route: routeOptions.url, method, status: reply.statusCode, ms: reply.elapsedTime });
    done();
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(swarm, options),
    adapter,
    // Fastify's own parsers take JSON and plain text. Nest's would take forms, too, which any web page can send from
    // its visitor's browser without being asked for leave (Fetch Standard, "CORS-safelisted request-header").
    { logger: nestLoggerOn(logger), abortOnError: false, bodyParser: false },
  );
  try {
    await app.listen(config.port, config.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  return { url: await app.getUrl(), turn, close: () => app.close() };
}

/**
 * Rejects, with what to set, when the port is taken or not allowed. It is tried before the agent registers, since a process
 * that cannot listen must not take the name over.
 */
async function expectFreePort({ host, port }: ArchitectConfig): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: `port ${port} is taken: set ARCHITECT_PORT to another port, or to 0 for a free one`,
      EACCES: `port ${port} is not allowed for this user: set ARCHITECT_PORT to 1024 or more`,
      EADDRNOTAVAIL: `this machine has no address ${host}: set ARCHITECT_HOST to one that it has`,
    };
    const reason = reasons[code ?? ''];
    throw reason === undefined
      ? error
      : new Error(`the Architect cannot listen on ${host}:${port}: ${reason}`, { cause: error });
  }
  server.close();
  await once(server, 'close');
}

function registrationOf(config: ArchitectConfig, mode: Mode): SwarmModuleOptions {
  const { name, namespace, swarmUrl, joinToken, healthUrl } = config;
  const connection = { url: swarmUrl, token: joinToken, namespace, role: 'architect', version: VERSION };
  if (mode === 'standby') {
    const own = `${name.slice(0, 40)}-standby-${randomBytes(4).toString('hex')}`;
    return {
      ...connection,
      name: own,
      description: `Standby: takes over when ${name} leaves or loses its lease.`,
      labels: { standby: name },
    };
  }
  return {
    ...connection,
    name,
    healthUrl,
    description: 'Turns goals into plans, and hands their tasks to the agents that can do them.',
    topics: declaredTopics(name),
  };
}

function plannersOf({ model }: ArchitectConfig, logger: Logger): Planner[] {
  return [explicitPlanner, ...(model === null ? [] : [createModelPlanner({ ...model, logger })]), matchingPlanner];
}
