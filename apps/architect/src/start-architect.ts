// Starts the Architect in one mode: an application that listens, and reports when its mode must change.
import { systemClock } from '@hypercode/clock';
import type { SwarmModuleOptions } from '@hypercode/nestjs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import { LIMITS } from '@hypercode/contracts';
import { AppModule } from './app.module.ts';
import type { Mode } from './architect.ts';
import type { ArchitectConfig } from './config/parse-config.ts';
import { answerFrameworkError } from './http/problem-filter.ts';
import type { Logger } from './logger.ts';
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

const VERSION = '0.1.0';
/** A request body: a goal is an event. */
const BODY_LIMIT = LIMITS.eventBytes;
/** A request that takes longer to arrive is cut off, in milliseconds. */
const REQUEST_LIMIT_MS = 30_000;

/** Rejects with the core's refusal when the agent cannot be registered, and when the port is taken. */
export async function startArchitect(config: ArchitectConfig, mode: Mode, logger: Logger): Promise<RunningArchitect> {
  const { promise: turn, resolve } = Promise.withResolvers<Turn>();
  const swarm: SwarmModuleOptions = { ...registrationOf(config, mode), onEnded: () => resolve('fenced') };
  const options = {
    config,
    mode,
    planners: plannersOf(config, logger),
    clock: systemClock,
    logger,
    onSeatFree: () => resolve('seat-free'),
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(swarm, options),
    new FastifyAdapter({
      bodyLimit: BODY_LIMIT,
      requestTimeout: REQUEST_LIMIT_MS,
      frameworkErrors: answerFrameworkError,
    }),
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
