// The OpenAPI document is valid, and says what the table says.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from './openapi.ts';
import { restRoutes } from './rest-routes.ts';

const document = openApiDocument(restRoutes);

/** Every value in `node` that stands under `key`, at any depth. */
function valuesOf(key: string, node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => (name === key ? [value] : valuesOf(key, value)));
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('has an operation for each route, each under a name of its own', () => {
    const { paths } = document as { paths: Record<string, Record<string, { operationId: string }>> };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations).toHaveLength(restRoutes.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(restRoutes.length);
    for (const { path, method } of restRoutes) expect(paths[path]).toHaveProperty(method.toLowerCase());
  });

  it('says of every body whether it may be left out', () => {
    const { paths } = document as {
      paths: Record<string, Record<string, { operationId: string; requestBody?: { required?: boolean } }>>;
    };
    const bodies = Object.values(paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ operationId, requestBody }) =>
        requestBody ? [{ operationId, ...requestBody }] : [],
      ),
    );
    expect(bodies.length).toBeGreaterThan(8);
    expect(bodies.flatMap(({ operationId, required }) => (required ? [] : [operationId]))).toEqual([
      'heartbeat',
      'publishEvents',
      'cancelGoal',
      'retryPlan',
      'pauseGroup',
      'resumeGroup',
    ]);
  });

  it('names every variable of a path', () => {
    for (const { path, pathParameters } of restRoutes) {
      const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(pathParameters)).toEqual(variables);
    }
  });

  it('refers only to what it has', () => {
    const { components } = document as { components: { schemas: Record<string, unknown> } };
    const known = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`);
    const references = valuesOf('$ref', document);
    expect(known).toEqual(expect.arrayContaining(references));
    expect(known).toEqual(
      expect.arrayContaining(
        ['Agent', 'AgentRegistration', 'WatchEvent', 'SwarmError', 'Problem'].map(
          (name) => `#/components/schemas/${name}`,
        ),
      ),
    );
  });

  it('has defaults of fields in words, so that types made from it have these fields as optional', () => {
    const { components } = document as {
      components: {
        schemas: Record<string, { properties: Record<string, { description?: string }>; required: string[] }>;
      };
    };
    const fields = valuesOf('properties', components).flatMap((all) => Object.entries(all as Record<string, object>));
    expect(fields.filter(([, schema]) => 'default' in schema)).toEqual([]);
    const { properties, required } = components.schemas['AgentRegistration'] ?? { properties: {}, required: [] };
    expect(required).toEqual(['name', 'role', 'version']);
    expect(properties['labels']?.description).toBe('Default: `{}`.');
    expect(properties['namespace']?.description).toBe('The namespace. Default: `default`.');
  });

  it('leaves room for fields that come later', () => {
    expect(valuesOf('additionalProperties', document)).not.toContain(false);
    expect(valuesOf('$id', document)).toEqual([]);
  });
});
