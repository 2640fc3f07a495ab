// Who may submit goals and look at plans: whoever has the token, where there is one.
import { SwarmError } from '@hypercode/contracts';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { ARCHITECT_OPTIONS, type ArchitectOptions } from '../architect.ts';

@Injectable()
export class TokenGuard implements CanActivate {
  /** Of the whole header. Null: there is no token. */
  readonly #wanted: Buffer | null;

  constructor(@Inject(ARCHITECT_OPTIONS) { config }: ArchitectOptions) {
    this.#wanted = config.token === null ? null : hashOf(`Bearer ${config.token}`);
  }

  /** Throws UNAUTHENTICATED. */
  canActivate(context: ExecutionContext): boolean {
    const { authorization = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    // Hashes are of one length, and say nothing of how much was right.
    if (this.#wanted === null || timingSafeEqual(hashOf(authorization), this.#wanted)) return true;
    throw new SwarmError('UNAUTHENTICATED', 'goals and plans are for those who have the token of this Architect');
  }
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
