// Who may submit goals and look at plans: whoever has the token; where there is none, whoever reaches the port, but for the
// pages of a browser.
import { SwarmError } from '@hypercode/contracts';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { ARCHITECT_OPTIONS, type ArchitectOptions } from '../architect.ts';

@Injectable()
export class TokenGuard implements CanActivate {
  /** Of the whole header. Null: there is no token. */
  readonly #wanted: Buffer | null;
  readonly #host: string;

  constructor(@Inject(ARCHITECT_OPTIONS) { config }: ArchitectOptions) {
    this.#host = config.host.toLowerCase();
    this.#wanted = config.token === null ? null : hashOf(`Bearer ${config.token}`);
  }

  /** Throws UNAUTHENTICATED, and FORBIDDEN where there is no token. */
  canActivate(context: ExecutionContext): boolean {
    const { authorization = '', host = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (this.#wanted === null) {
      if (this.#isOwnName(host)) return true;
      throw new SwarmError(
        'FORBIDDEN',
        'an Architect without a token answers only requests to an IP address, to localhost or to ARCHITECT_HOST',
      );
    }
    // Hashes are of one length, and say nothing of how much was right.
    if (timingSafeEqual(hashOf(authorization), this.#wanted)) return true;
    throw new SwarmError(
      'UNAUTHENTICATED',
      'goals and plans need the token of this Architect: Authorization: Bearer ARCHITECT_TOKEN',
    );
  }

  /** A page whose own name was made to lead here ("DNS rebinding") asks by that name, and can ask by no other. */
  #isOwnName(host: string): boolean {
    const name = URL.parse(`http://${host}`)?.hostname ?? '';
    return name === 'localhost' || name === this.#host || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  }
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
