/**
 * The AWS Query protocol's request: a form whose keys are paths (`Listeners.member.1.InstancePort=80`).
 *
 * EC2's dialect differs in three things: its own member names (trait `ec2QueryName`, else the XML name with a capital),
 * lists without `member` in the path, and no way to say an empty list.
 * Source: smithy.io, "AWS Query protocol" and "AWS EC2 Query protocol".
 */
import type { Schema } from '../model.ts';
import { ShapeError } from '../shape.ts';

export type QueryDialect = 'awsQuery' | 'ec2Query';

interface Node {
  value: string | undefined;
  readonly children: Map<string, Node>;
}

/** @throws ShapeError  for a key that the action does not have, or text that is not of its member's type */
export function readQuery(form: URLSearchParams, input: Schema, dialect: QueryDialect): unknown {
  const root: Node = { value: undefined, children: new Map() };
  for (const [key, value] of form) {
    if (key === 'Action' || key === 'Version') continue;
    let node = root;
    for (const part of key.split('.')) {
      let child = node.children.get(part);
      if (child === undefined) {
        child = { value: undefined, children: new Map() };
        node.children.set(part, child);
      }
      node = child;
    }
    node.value = value;
  }
  return input.isUnitSchema() ? readStructure(root, [], '', dialect) : read(root, input, '', dialect);
}

function read(node: Node, schema: Schema, path: string, dialect: QueryDialect): unknown {
  if (schema.isStructSchema()) return readStructure(node, [...schema.structIterator()], path, dialect);
  if (schema.isListSchema()) return readList(node, schema, path, dialect);
  if (schema.isMapSchema()) return readMap(node, schema, path, dialect);
  if (node.value === undefined)
    throw new ShapeError('type', path, `Parameter ${path} has members but is a plain value`);
  return readScalar(node.value, schema, path);
}

function readStructure(
  node: Node,
  members: readonly (readonly [string, Schema])[],
  path: string,
  dialect: QueryDialect,
): Record<string, unknown> {
  const known = new Map(members.map(([name, schema]) => [wireName(name, schema, dialect), { name, schema }]));
  const result: Record<string, unknown> = {};
  for (const [part, child] of node.children) {
    const member = known.get(part);
    const childPath = path === '' ? part : `${path}.${part}`;
    if (member === undefined) throw new ShapeError('unknown', childPath, `Unknown parameter ${childPath}`);
    result[member.name] = read(child, member.schema, childPath, dialect);
  }
  return result;
}

function readList(node: Node, schema: Schema, path: string, dialect: QueryDialect): unknown[] {
  const member = schema.getValueSchema();
  const isFlat = dialect === 'ec2Query' || schema.getMergedTraits().xmlFlattened !== undefined;
  const itemName = member.getMergedTraits().xmlName ?? 'member';
  if (node.children.size === 0 && node.value === '') return [];
  const items = isFlat ? node : node.children.get(itemName);
  if (items === undefined || (!isFlat && node.children.size !== 1)) {
    throw new ShapeError('type', path, `Parameter ${path} is a list: its members are ${path}.${itemName}.1 and so on`);
  }
  return [...items.children.entries()]
    .map(([position, child]) => {
      const index = Number(position);
      const itemPath = `${path}.${position}`;
      if (!Number.isInteger(index) || index < 1)
        throw new ShapeError('unknown', itemPath, `Unknown parameter ${itemPath}`);
      return { index, item: read(child, member, itemPath, dialect) };
    })
    .sort((left, right) => left.index - right.index)
    .map(({ item }) => item);
}

/** `Attributes.entry.1.key=…&Attributes.entry.1.value=…`; where the map is flat, without `entry`. */
function readMap(node: Node, schema: Schema, path: string, dialect: QueryDialect): Record<string, unknown> {
  const isFlat = schema.getMergedTraits().xmlFlattened !== undefined;
  const entries = isFlat ? node : node.children.get('entry');
  if (entries === undefined)
    throw new ShapeError('type', path, `Parameter ${path} is a map: its members are ${path}.entry.1.key and so on`);
  const keyName = schema.getKeySchema().getMergedTraits().xmlName ?? 'key';
  const member = schema.getValueSchema();
  const valueName = member.getMergedTraits().xmlName ?? 'value';
  const result: Record<string, unknown> = {};
  for (const [position, entry] of entries.children) {
    const key = entry.children.get(String(keyName))?.value;
    const value = entry.children.get(String(valueName));
    if (key === undefined || value === undefined)
      throw new ShapeError('type', path, `Parameter ${path}.entry.${position} needs a key and a value`);
    result[key] = read(value, member, `${path}.${key}`, dialect);
  }
  return result;
}

function readScalar(text: string, schema: Schema, path: string): unknown {
  if (schema.isBooleanSchema()) {
    if (text !== 'true' && text !== 'false')
      throw new ShapeError('type', path, `Parameter ${path}: '${text}' is not a boolean`);
    return text === 'true';
  }
  if (schema.isNumericSchema()) {
    if (!/^-?\d+(\.\d+)?$/.test(text))
      throw new ShapeError('type', path, `Parameter ${path}: '${text}' is not a number`);
    return Number(text);
  }
  return text; // strings; timestamps and blobs are turned by conform()
}

function wireName(name: string, schema: Schema, dialect: QueryDialect): string {
  const { xmlName, ec2QueryName } = schema.getMergedTraits() as { xmlName?: string; ec2QueryName?: string };
  if (dialect === 'awsQuery') return xmlName ?? name;
  if (ec2QueryName !== undefined) return ec2QueryName;
  const key = xmlName ?? name;
  return key.charAt(0).toUpperCase() + key.slice(1);
}
