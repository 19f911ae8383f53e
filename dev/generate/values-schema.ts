// The part of the chart's values.schema.json that is about settings, made from the settings of `latchkey serve`.
import { z } from 'zod';
import { serveSettings } from '../../src/commands/serve/settings.ts';

/** What the chart decides: they follow from other values, or have to fit the Deployment. */
const DECIDED_BY_THE_CHART = new Set([
  'kubeconfig',
  'namespace',
  'listenAddress',
  'metricsListenAddress',
  'tlsCertFile',
  'tlsKeyFile',
  'serviceName',
  'ldapCaFile',
  'licensePublicKeyFile',
]);

interface SettingSchema {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly switch?: boolean;
  readonly list?: boolean;
  readonly count?: boolean;
}

/** @returns `text`, the schema as it is, with the settings of today. */
export function valuesSchema(text: string): string {
  const schema = JSON.parse(text) as { properties: Record<string, unknown> };
  const { properties } = z.toJSONSchema(serveSettings, { io: 'input' }) as {
    properties: Record<string, SettingSchema>;
  };
  const settings = Object.entries(properties)
    .filter(([name]) => !DECIDED_BY_THE_CHART.has(name))
    .map(([name, setting]) => [name, { description: setting.description, ...typeOf(setting) }]);
  schema.properties['settings'] = {
    description: 'The settings of `latchkey serve`. Made by `npm run generate`.',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(settings),
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** A flag gives only text; a file of values says what it means. */
function typeOf({ switch: yesOrNo, list, count, enum: choices, pattern, minLength }: SettingSchema): object {
  if (yesOrNo) return { type: 'boolean' };
  if (count) return { type: 'integer', minimum: 1 };
  if (list) return { type: 'array', items: { type: 'string', minLength: 1 } };
  return { type: 'string', ...(choices ? { enum: choices } : { pattern, minLength }) };
}
