// Which tokens the list shows, as the address has it.
import { type TokenInfo, TokenKind } from '@hypercode/contracts';
import { z } from 'zod';

export const TokenFilterSearch = z.object({
  text: z.string().max(256).optional().catch(undefined),
  kind: TokenKind.optional().catch(undefined),
});
export type TokenFilterSearch = z.infer<typeof TokenFilterSearch>;

/** `text` is found in names, roles and patterns of names, and at the beginning of ids. */
export function filteredTokens(tokens: readonly TokenInfo[], { text, kind }: TokenFilterSearch): readonly TokenInfo[] {
  const wanted = text?.trim().toLowerCase() ?? '';
  return tokens.filter(
    (token) =>
      (kind === undefined || token.kind === kind) &&
      (wanted === '' ||
        token.id.startsWith(wanted) ||
        [token.name, ...[token.roles ?? []].flat(), ...(token.names ?? [])].some((word) =>
          word.toLowerCase().includes(wanted),
        )),
  );
}
