// Compares JSON with schemas that strangers wrote (JSON Schema, draft 2020-12). Node.js only.
//
//   const checks = new SchemaChecks({ clock });
//   const { fault, unchecked } = await checks.check(schema, value);
//   await checks.close();
export { faultInWords, SchemaChecks, type SchemaResult } from './schema-checks.ts';
