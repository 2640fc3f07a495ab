// Reads, follows, retries and cancels plans, as the core does.
import {
  ListPlansInput,
  type PlanList,
  type PlanSummary,
  type PlanView,
  type RetriedPlan,
  RetryPlanInput,
  WatchPlansInput,
} from '@hypercode/contracts';
import { mermaidOf, pageOf, summaryOf, viewOf } from '@hypercode/plans';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Architect } from '../architect.ts';
import { parsed } from './parsed.ts';
import { TokenGuard } from './token-guard.ts';

const { state, limit, cursor } = ListPlansInput.shape;
export const ListQuery = z.object({
  state,
  status: state.describe('The same as `state`.'),
  limit: z.preprocess((given) => (given === undefined ? undefined : Number(given)), limit),
  cursor,
});
export const StreamQuery = WatchPlansInput.pick({ planId: true, state: true });
export const ReasonBody = RetryPlanInput.pick({ reason: true });
const PlanParam = RetryPlanInput.pick({ planId: true });

@Controller(['plans', 'v1/plans'])
@UseGuards(TokenGuard)
export class PlansController {
  readonly #architect: Architect;

  constructor(@Inject(Architect) architect: Architect) {
    this.#architect = architect;
  }

  @Get()
  list(@Query() query: unknown): PlanList {
    const { status, state: given = status, ...page } = parsed(ListQuery, query);
    return pageOf(this.#architect.plans(), { ...page, state: given });
  }

  @Get('stream')
  async stream(@Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const filter = parsed(StreamQuery, query);
    const write = this.#architect.planStream(filter);
    reply.hijack();
    await write(reply.raw);
  }

  @Get(':planId')
  get(@Param() param: unknown): PlanView {
    return viewOf(this.#architect.plan(idIn(param)));
  }

  @Get(':planId/mermaid')
  @Header('content-type', 'text/vnd.mermaid; charset=utf-8')
  diagram(@Param() param: unknown): string {
    return mermaidOf(this.#architect.plan(idIn(param)));
  }

  @Post(':planId/retry')
  @HttpCode(202)
  retry(@Param() param: unknown, @Body() body: unknown): Promise<RetriedPlan> {
    return this.#architect.retry(idIn(param), parsed(ReasonBody, body ?? {}).reason);
  }

  @Post(':planId/cancel')
  @HttpCode(202)
  async cancel(@Param() param: unknown, @Body() body: unknown): Promise<PlanSummary> {
    const { reason } = parsed(ReasonBody, body ?? {});
    return summaryOf(await this.#architect.cancel(idIn(param), reason));
  }
}

const idIn = (param: unknown): string => parsed(PlanParam, param).planId;
