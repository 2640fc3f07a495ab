// The OpenAPI document is valid, and has the routes of the controllers.
import { Validator } from '@seriousme/openapi-schema-validator';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import { expect, test } from 'vitest';
import { DescriptionController } from './description.controller.ts';
import { GoalsController } from './goals.controller.ts';
import { HealthController } from './health.controller.ts';
import { OPERATIONS, openApiDocument } from './openapi.ts';
import { PlansController } from './plans.controller.ts';

const document = openApiDocument({ version: '1.0.0', hasToken: true });

/** As Nest registers them. */
function routesOf(controller: { readonly prototype: object; readonly name: string }): string[] {
  // The last of several is the one with the version.
  const base = String([Reflect.getMetadata(PATH_METADATA, controller)].flat().at(-1));
  return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
    const handler: unknown = Reflect.get(controller.prototype, name);
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const method = RequestMethod[Number(Reflect.getMetadata(METHOD_METADATA, handler))];
    const parts = [base, String(Reflect.getMetadata(PATH_METADATA, handler))].filter((part) => part !== '/');
    return [`${method} /${parts.join('/').replaceAll(/:(\w+)/g, '{$1}')}`];
  });
}

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('the document has the routes of the controllers, each under a name of its own', () => {
  const controllers = [GoalsController, PlansController, HealthController, DescriptionController];
  expect(Object.keys(OPERATIONS).toSorted()).toEqual(controllers.flatMap(routesOf).toSorted());
  const names = Object.values(OPERATIONS).map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
});

test('a goal in the document has the fields of the contracts, and only its title is required', () => {
  const { schemas } = Object(document['components']) as { schemas: Record<string, { required?: string[] }> };
  expect(schemas['GoalSubmission']?.required).toEqual(['title']);
  expect(JSON.stringify(schemas['GoalSubmission'])).toContain('"extendOnProgress"');
  expect(JSON.stringify(schemas['PlanView'])).toContain('"timed_out"');
});
