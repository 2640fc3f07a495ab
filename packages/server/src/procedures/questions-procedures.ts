// The procedures by which people answer what agents ask.
import { type Api, operatorSource } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const questionsProcedures: Handlers<Api['questions']> = {
  list: ({ core }, input) => core.questions.list(input),
  answer: ({ core, identity }, input) => core.questions.answer(input, operatorSource(identity.principal.name)),
};
