// UUIDs made of names, held against what other implementations make.
import { describe, expect, test } from 'vitest';
import { URL_NAMESPACE, uuidV5 } from './uuid-v5.ts';

describe('uuidV5', () => {
  test.each([
    // RFC 9562, appendix A.4.
    ['www.example.com', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
    // Python's uuid.uuid5.
    ['https://example.com/orders', URL_NAMESPACE, 'e4f823ab-1fb9-5d39-93b4-bfc09f8192cf'],
    ['é€😀', '7bb6026d-36ee-5f64-8adf-c57e2297bc20', '0f795d3d-a3d1-50ba-90a2-e5ca9c8f36af'],
  ])('of %s in %s', (name, namespace, uuid) => {
    expect(uuidV5(name, namespace)).toBe(uuid);
  });
});
