// Submits and cancels goals over HTTP, as the core does.
import { CancelGoalInput, type CancelledGoal, type SubmittedGoal } from '@hypercode/contracts';
import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Architect } from '../architect.ts';
import { parsed } from './parsed.ts';
import { TokenGuard } from './token-guard.ts';

export const CancelGoalBody = CancelGoalInput.pick({ reason: true });

@Controller(['goals', 'v1/goals'])
@UseGuards(TokenGuard)
export class GoalsController {
  readonly #architect: Architect;

  constructor(@Inject(Architect) architect: Architect) {
    this.#architect = architect;
  }

  @Post()
  @HttpCode(202)
  async submit(
    @Body() body: unknown,
    @Req() { url }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SubmittedGoal> {
    const submitted = await this.#architect.submit(body);
    void reply.header('location', `${url.startsWith('/v1/') ? '/v1' : ''}/plans/${submitted.planId}`);
    return submitted;
  }

  @Post(':goalId/cancel')
  @HttpCode(202)
  cancel(@Param('goalId') goalId: string, @Body() body: unknown): Promise<CancelledGoal> {
    const { reason } = parsed(CancelGoalBody, body ?? {});
    const goal = parsed(CancelGoalInput.pick({ goalId: true }), { goalId });
    return this.#architect.cancelGoal(goal.goalId, reason);
  }
}
