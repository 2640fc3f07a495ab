// Refuses what a web page of another origin makes its visitor's browser send.
import { type BrowserRequest, isCrossSite } from '@hypercode/contracts';
import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';

export interface CrossSiteGuardOptions {
  /** Origins whose pages may change something here all the same, such as `https://console.example`. Default: none. */
  readonly trustedOrigins?: readonly string[];
}

/**
 * A guard for all routes: `app.useGlobalGuards(new CrossSiteGuard())`. Refuses with 403 what `isCrossSite` describes; what is
 * not HTTP, such as a microservice's message, passes.
 */
@Injectable()
export class CrossSiteGuard implements CanActivate {
  readonly #trustedOrigins: readonly string[];

  constructor({ trustedOrigins = [] }: CrossSiteGuardOptions = {}) {
    this.#trustedOrigins = trustedOrigins;
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<BrowserRequest>();
    if (!isCrossSite(request, this.#trustedOrigins)) return true;
    throw new ForbiddenException(
      'a web page of another origin may change nothing here: send the request from a page of this origin, or not from a browser',
    );
  }
}
