/**
 * Resource types that are kept and have no effect: nothing in the rehearsal acts on an alarm, a rule or a topic. They have
 * names, attributes and collisions as on AWS, so that a template that uses them can be deployed.
 */
import { randomBytes } from 'node:crypto';
import { ResourceFailure } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Made, ResourceType } from '../resource-type.ts';
import { text } from './properties.ts';

export interface KeptType {
  readonly name: string;
  readonly properties: readonly string[];
  readonly required?: readonly string[];
  readonly nameProperty: string;
  readonly maximumNameLength: number;
  readonly replacedBy?: readonly string[];
  readonly attributes: readonly string[];
  /** What Ref and Fn::GetAtt give for a name. */
  readonly describe: (
    name: string,
    properties: JsonObject,
  ) => { ref: string; attributes: Readonly<Record<string, Json>> };
}

export function keptType(kept: KeptType): ResourceType {
  const existing = new Set<string>();
  const made = (name: string, properties: JsonObject): Made => {
    const { ref, attributes } = kept.describe(name, properties);
    return { physicalResourceId: ref, attributes };
  };
  const nameOf = (physicalResourceId: string, properties: JsonObject): string =>
    text(properties[kept.nameProperty]) ?? physicalResourceId.slice(physicalResourceId.lastIndexOf(':') + 1);
  return {
    name: kept.name,
    properties: kept.properties,
    required: kept.required ?? [],
    replacedBy: [kept.nameProperty, ...(kept.replacedBy ?? [])],
    attributes: kept.attributes,
    async create(properties, context) {
      const name = text(properties[kept.nameProperty]) ?? context.generateName(kept.maximumNameLength);
      if (existing.has(name)) {
        throw new ResourceFailure(
          `Resource handler returned message: "Resource of type '${kept.name}' with identifier '${name}' already exists." (RequestToken: ${randomBytes(16).toString('hex')}, HandlerErrorCode: AlreadyExists)`,
        );
      }
      existing.add(name);
      return made(name, properties);
    },
    async update({ physicalResourceId, properties: before }, properties) {
      return made(nameOf(physicalResourceId, before), properties);
    },
    async delete({ physicalResourceId, properties }) {
      existing.delete(nameOf(physicalResourceId, properties));
    },
  };
}
