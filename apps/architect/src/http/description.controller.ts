// What the Architect offers to machines that look at it: its OpenAPI document and its metrics. Neither needs a token.
import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ARCHITECT_OPTIONS, type ArchitectOptions, VERSION } from '../architect.ts';
import { openApiDocument } from './openapi.ts';

@Controller()
export class DescriptionController {
  readonly #options: ArchitectOptions;

  constructor(@Inject(ARCHITECT_OPTIONS) options: ArchitectOptions) {
    this.#options = options;
  }

  @Get('openapi.json')
  document(): object {
    return openApiDocument({ version: VERSION, hasToken: this.#options.config.token !== null });
  }

  @Get('metrics')
  @Header('cache-control', 'no-store')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { metrics } = this.#options;
    void reply.header('content-type', metrics.contentType);
    return metrics.text();
  }
}
