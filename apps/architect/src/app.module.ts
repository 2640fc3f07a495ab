// The application: one agent, the Architect, and its HTTP routes.
import { CrossSiteGuard, SwarmModule, type SwarmModuleOptions } from '@hypercode/nestjs';
import { SwarmHealthIndicator } from '@hypercode/nestjs/terminus';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { Architect, ARCHITECT_OPTIONS, type ArchitectOptions } from './architect.ts';
import { DescriptionController } from './http/description.controller.ts';
import { GoalsController } from './http/goals.controller.ts';
import { HealthController } from './http/health.controller.ts';
import { PlansController } from './http/plans.controller.ts';
import { ProblemFilter } from './http/problem-filter.ts';

@Module({})
export class AppModule {
  static with(swarm: SwarmModuleOptions, options: ArchitectOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [SwarmModule.forRoot(swarm), TerminusModule.forRoot({ logger: false })],
      controllers: [GoalsController, PlansController, HealthController, DescriptionController],
      providers: [
        { provide: ARCHITECT_OPTIONS, useValue: options },
        { provide: APP_GUARD, useValue: new CrossSiteGuard() },
        { provide: APP_FILTER, useValue: new ProblemFilter(options.logger) },
        Architect,
        SwarmHealthIndicator,
      ],
    };
  }
}
