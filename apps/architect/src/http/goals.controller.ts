// Submits goals over HTTP.
import { Body, Controller, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Architect, type SubmittedGoal } from '../architect.ts';
import { TokenGuard } from './token-guard.ts';

@Controller('goals')
@UseGuards(TokenGuard)
export class GoalsController {
  readonly #architect: Architect;

  constructor(@Inject(Architect) architect: Architect) {
    this.#architect = architect;
  }

  @Post()
  @HttpCode(202)
  async submit(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<SubmittedGoal> {
    const submitted = await this.#architect.submit(body);
    void reply.header('location', `/plans/${submitted.planId}`);
    return submitted;
  }
}
