// Access to goals and plans: with the token; without one configured, for every caller that reaches the port, except
// pages in a browser.
import { SwarmError } from '@hypercode/contracts';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { ARCHITECT_OPTIONS, type ArchitectOptions } from '../architect.ts';

@Injectable()
export class TokenGuard implements CanActivate {
  /** Hash of the whole header; null when no token is configured. */
  readonly #wanted: Buffer | null;
  readonly #host: string;

  constructor(@Inject(ARCHITECT_OPTIONS) { config }: ArchitectOptions) {
    this.#host = config.host.toLowerCase();
    this.#wanted = config.token === null ? null : hashOf(`Bearer ${config.token}`);
  }

  /** Throws UNAUTHENTICATED, or FORBIDDEN when no token is configured. */
  canActivate(context: ExecutionContext): boolean {
    const { authorization = '', host = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (this.#wanted === null) {
      if (this.#isOwnName(host)) return true;
      throw new SwarmError(
        'FORBIDDEN',
        'an Architect without a token answers only requests to an IP address, to localhost or to ARCHITECT_HOST',
      );
    }
    // Hashes have one length, so the comparison shows nothing of how much was right.
    if (timingSafeEqual(hashOf(authorization), this.#wanted)) return true;
    throw new SwarmError(
      'UNAUTHENTICATED',
      'goals and plans need the token of this Architect: Authorization: Bearer ARCHITECT_TOKEN',
    );
  }

  /** A page whose name was made to resolve to this host ("DNS rebinding") sends that name, and can send no other. */
  #isOwnName(host: string): boolean {
    const name = URL.parse(`http://${host}`)?.hostname ?? '';
    return name === 'localhost' || name === this.#host || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  }
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
