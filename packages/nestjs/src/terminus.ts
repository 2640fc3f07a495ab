// The agent in the health checks of @nestjs/terminus.
import type { ConnectedAgent } from '@hypercode/client';
import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { SWARM_AGENT } from './injection.ts';

/** To be listed among the providers of the module that has the health checks. */
export class SwarmHealthIndicator {
  readonly #agent: ConnectedAgent;
  readonly #indicators: HealthIndicatorService;

  constructor(agent: ConnectedAgent, indicators: HealthIndicatorService) {
    this.#agent = agent;
    this.#indicators = indicators;
  }

  /**
   * Up while the core has the agent, as its last answer reported, and the policy denies nothing to its handlers; makes no call.
   * Reports status, activity and circuit, and what is denied, with the reasons.
   */
  check<const Key extends string = 'swarm'>(key?: Key): HealthIndicatorResult<Key>;
  check(key = 'swarm'): HealthIndicatorResult {
    const { status: agent, activity, circuit, registered, denied } = this.#agent.health();
    const indicator = this.#indicators.check(key);
    const facts = { agent, activity, circuit, ...(denied.length === 0 ? {} : { denied }) };
    return registered && agent !== 'denied' ? indicator.up(facts) : indicator.down(facts);
  }
}

// Called, not written as decorators: what runs these sources directly may not know this package's tsconfig, and without
// its `experimentalDecorators` parameters can have none.
Injectable()(SwarmHealthIndicator);
Inject(SWARM_AGENT)(SwarmHealthIndicator, undefined, 0);
Inject(HealthIndicatorService)(SwarmHealthIndicator, undefined, 1);
