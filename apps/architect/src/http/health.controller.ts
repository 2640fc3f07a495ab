// Health of the process, and whether it accepts goals.
import type { AgentHealth, ConnectedAgent } from '@hypercode/client';
import { SWARM_AGENT } from '@hypercode/nestjs';
import { SwarmHealthIndicator } from '@hypercode/nestjs/terminus';
import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { Architect, type Mode } from '../architect.ts';

@Controller()
export class HealthController {
  readonly #agent: ConnectedAgent;
  readonly #architect: Architect;
  readonly #checks: HealthCheckService;
  readonly #indicators: HealthIndicatorService;
  readonly #swarm: SwarmHealthIndicator;

  constructor(
    @Inject(SWARM_AGENT) agent: ConnectedAgent,
    @Inject(Architect) architect: Architect,
    @Inject(HealthCheckService) checks: HealthCheckService,
    @Inject(HealthIndicatorService) indicators: HealthIndicatorService,
    @Inject(SwarmHealthIndicator) swarm: SwarmHealthIndicator,
  ) {
    this.#agent = agent;
    this.#architect = architect;
    this.#checks = checks;
    this.#indicators = indicators;
    this.#swarm = swarm;
  }

  /** The health of the agent, which the core probes. 503 while it is not registered. */
  @Get('health')
  health(@Res({ passthrough: true }) reply: FastifyReply): AgentHealth & { readonly mode: Mode } {
    const health = this.#agent.health();
    const isWell = health.status === 'ok' || health.status === 'draining';
    void reply.status(isWell ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE).header('cache-control', 'no-store');
    return { ...health, mode: this.#architect.mode };
  }

  /** Whether it accepts goals: it is registered, has read all that the bus has kept, and has the rights that it needs. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.#checks.check([
      () => this.#swarm.check('swarm'),
      () => {
        const plans = this.#indicators.check('plans');
        return this.#architect.isCaughtUp ? plans.up() : plans.down('still reading the bus');
      },
      async () => {
        const rights = this.#indicators.check('rights');
        const missing = await this.#architect.missingRights();
        return missing === null ? rights.up() : rights.down(missing);
      },
    ]);
  }
}
