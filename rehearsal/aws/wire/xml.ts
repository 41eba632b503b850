/** The XML answers of the Query protocols. Source: smithy.io, "AWS Query protocol", "AWS EC2 Query protocol", "XML bindings". */
import type { ModelledError, Operation, Schema, ServiceModel } from '../model.ts';
import type { ServiceError } from '../service.ts';
import type { QueryDialect } from './query.ts';
import { timestampText } from './timestamp.ts';

export function writeQueryResult(
  operation: Operation,
  output: unknown,
  model: ServiceModel,
  requestId: string,
  dialect: QueryDialect,
): string {
  const members = operation.output.isUnitSchema() ? '' : content(operation.output, output ?? {});
  const body =
    dialect === 'ec2Query'
      ? element('requestId', requestId) + members
      : (operation.output.isUnitSchema() ? '' : `<${operation.name}Result>${members}</${operation.name}Result>`) +
        `<ResponseMetadata>${element('RequestId', requestId)}</ResponseMetadata>`;
  return `<${operation.name}Response xmlns="${escapeXml(model.xmlNamespace)}">${body}</${operation.name}Response>`;
}

export function writeQueryError(
  error: ServiceError,
  modelled: ModelledError | undefined,
  statusCode: number,
  model: ServiceModel,
  requestId: string,
  dialect: QueryDialect,
): string {
  const coded = element('Code', error.code) + element('Message', error.message);
  if (dialect === 'ec2Query') {
    return `<Response><Errors><Error>${coded}</Error></Errors>${element('RequestID', requestId)}</Response>`;
  }
  const fields = modelled === undefined ? '' : content(modelled.schema, error.fields);
  const type = element('Type', statusCode >= 500 ? 'Receiver' : 'Sender');
  return (
    `<ErrorResponse xmlns="${escapeXml(model.xmlNamespace)}"><Error>${type}${coded}${fields}</Error>` +
    `${element('RequestId', requestId)}</ErrorResponse>`
  );
}

function content(structure: Schema, value: unknown): string {
  const given = value as Record<string, unknown>;
  let xml = '';
  for (const [name, member] of structure.structIterator()) {
    const item = given[name];
    if (item !== undefined && item !== null) xml += write(nameOf(member, name), member, item);
  }
  return xml;
}

function write(name: string, schema: Schema, value: unknown): string {
  if (schema.isStructSchema()) return `<${name}>${content(schema, value)}</${name}>`;
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const isFlat = schema.getMergedTraits().xmlFlattened !== undefined;
    const itemName = isFlat ? name : nameOf(member, 'member');
    const items = (value as unknown[]).map((item) => write(itemName, member, item)).join('');
    return isFlat ? items : `<${name}>${items}</${name}>`;
  }
  if (schema.isMapSchema()) {
    const [keySchema, valueSchema] = [schema.getKeySchema(), schema.getValueSchema()];
    const entries = Object.entries(value as Record<string, unknown>).map(
      ([key, item]) =>
        `<entry>${element(nameOf(keySchema, 'key'), key)}${write(nameOf(valueSchema, 'value'), valueSchema, item)}</entry>`,
    );
    return `<${name}>${entries.join('')}</${name}>`;
  }
  if (value instanceof Date) return element(name, timestampText(schema, value, 'date-time'));
  if (value instanceof Uint8Array) return element(name, Buffer.from(value).toString('base64'));
  return element(name, String(value));
}

const nameOf = (schema: Schema, otherwise: string): string =>
  (schema.getMemberTraits().xmlName as string | undefined) ?? otherwise;

const element = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;

/** Carriage returns are written as references: an XML parser turns a bare one into a line feed. */
const escapeXml = (text: string): string => text.replace(/[&<>"\r]/g, (character) => `&#${character.codePointAt(0)};`);
