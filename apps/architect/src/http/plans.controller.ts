// Reads and cancels plans.
import { invalidInput, LIMITS, PlanStatus, PlanSummary, type PlanView } from '@hypercode/contracts';
import { mermaidOf, summaryOf, viewOf } from '@hypercode/plans';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { Architect } from '../architect.ts';
import { TokenGuard } from './token-guard.ts';

export const ListQuery = z.object({
  status: PlanStatus.optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSize).default(50),
});
export const CancelBody = z.object({ reason: z.string().min(1).max(LIMITS.reasonLength).optional() }).nullish();

export const PlanList = z.object({ plans: z.array(PlanSummary) });

@Controller('plans')
@UseGuards(TokenGuard)
export class PlansController {
  readonly #architect: Architect;

  constructor(@Inject(Architect) architect: Architect) {
    this.#architect = architect;
  }

  @Get()
  list(@Query() query: unknown): z.infer<typeof PlanList> {
    const { status, limit } = parsed(ListQuery, query);
    const plans = this.#architect.plans().filter((plan) => status === undefined || plan.status === status);
    return { plans: plans.slice(0, limit).map(summaryOf) };
  }

  @Get(':id')
  get(@Param('id') planId: string): PlanView {
    return viewOf(this.#architect.plan(planId));
  }

  @Get(':id/mermaid')
  @Header('content-type', 'text/vnd.mermaid; charset=utf-8')
  diagram(@Param('id') planId: string): string {
    return mermaidOf(this.#architect.plan(planId));
  }

  @Post(':id/cancel')
  @HttpCode(202)
  async cancel(@Param('id') planId: string, @Body() body: unknown): Promise<PlanSummary> {
    const reason = parsed(CancelBody, body)?.reason;
    return summaryOf(await this.#architect.cancel(planId, reason));
  }
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { error, data } = schema.safeParse(value);
  if (error !== undefined) throw invalidInput(error);
  return data;
}
