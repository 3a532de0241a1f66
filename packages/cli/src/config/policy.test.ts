import { policySchema } from '@splitmirror/backup';
import { describe, expect, it } from 'vitest';
import { policyOf } from './policy.ts';
import { configSchema, configSchemaJson } from './schema.ts';

interface Bounds {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Bounds>>;
  readonly additionalProperties?: Bounds;
}

/** The settings that are numbers, with the least and the most that each takes. */
function extremesOf({ properties = {} }: Bounds): [name: string, value: number][] {
  return Object.entries(properties).flatMap(([name, { type, minimum = 1e-6, maximum = Number.MAX_SAFE_INTEGER }]) =>
    type === 'number' || type === 'integer' ? [minimum, maximum].map((value): [string, number] => [name, value]) : [],
  );
}

const policyWith = (group: object, settings: object = {}) =>
  policyOf(configSchema.parse({ nodes: {}, store: '/store', groups: { g: group }, ...settings }), 'g');

describe('policyOf', () => {
  const { groups, pollSeconds } = (configSchemaJson() as Bounds).properties ?? {};
  const group = groups?.additionalProperties ?? {};

  it.each(extremesOf(group))('makes a policy that can be run of %s: %d', (name, value) => {
    expect(policySchema.safeParse(policyWith({ [name]: value })).error).toBeUndefined();
  });

  it.each(extremesOf({ properties: { pollSeconds: pollSeconds ?? {} } }))('and of %s: %d', (name, value) => {
    expect(policySchema.safeParse(policyWith({}, { [name]: value })).error).toBeUndefined();
  });

  it.each(extremesOf(group.properties?.quiesce ?? {}))('and of quiesce.%s: %d', (name, value) => {
    const quiesce = { suspend: [['true']], resume: [['true']], [name]: value };
    expect(policySchema.safeParse(policyWith({ quiesce })).error).toBeUndefined();
  });
});
