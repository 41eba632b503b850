import { writeZip } from '../../lambda/zip.ts';
import { isSame, type JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { Made, ResourceContext, ResourceType } from '../resource-type.ts';
import { defined, number, object, tagMap, text, texts } from './properties.ts';

const CONFIGURATION = [
  'Role',
  'Handler',
  'Runtime',
  'Description',
  'Timeout',
  'MemorySize',
  'Environment',
  'LoggingConfig',
  'TracingConfig',
  'EphemeralStorage',
];

/** Through Lambda's own actions, so it starts and fails as a function made by the API does. */
export const lambdaFunction: ResourceType = {
  name: 'AWS::Lambda::Function',
  properties: [
    ...CONFIGURATION,
    'FunctionName',
    'PackageType',
    'Architectures',
    'Code',
    'Tags',
    'ReservedConcurrentExecutions',
    'RecursiveLoop',
  ],
  required: ['Code', 'Role'],
  replacedBy: ['FunctionName', 'PackageType'],
  attributes: ['Arn'],

  async create(properties, context) {
    const name = text(properties.FunctionName) ?? context.generateName(64);
    const created = (await context.call('lambda', 'CreateFunction', {
      FunctionName: name,
      ...configuration(properties),
      ...defined({
        PackageType: text(properties.PackageType),
        Architectures: properties.Architectures === undefined ? undefined : texts(properties.Architectures),
      }),
      Code: code(properties),
      Tags: tagMap(properties.Tags, context.tags),
    })) as { FunctionArn: string };
    await setLimits(name, {}, properties, context);
    return made(name, created.FunctionArn);
  },

  async update({ physicalResourceId: name, attributes, properties: before }, properties, context) {
    const changed = (key: string): boolean => !isSame(before[key] ?? null, properties[key] ?? null);
    if (changed('Code')) {
      await context.call('lambda', 'UpdateFunctionCode', { FunctionName: name, ...code(properties) });
    }
    if (CONFIGURATION.some(changed)) {
      const removed = before.Environment !== undefined && properties.Environment === undefined;
      await context.call('lambda', 'UpdateFunctionConfiguration', {
        FunctionName: name,
        ...configuration(properties),
        ...(removed && { Environment: { Variables: {} } }),
      });
    }
    await setLimits(name, before, properties, context);
    return made(name, String(attributes.Arn));
  },

  async delete({ physicalResourceId }, context) {
    await context.call('lambda', 'DeleteFunction', { FunctionName: physicalResourceId }).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'ResourceNotFoundException')) throw error;
    });
  },
};

function made(name: string, arn: string): Made {
  return { physicalResourceId: name, attributes: { Arn: arn } };
}

function configuration(properties: JsonObject): Record<string, unknown> {
  const environment = object(object(properties.Environment)?.Variables);
  return defined({
    Role: text(properties.Role),
    Handler: text(properties.Handler),
    Runtime: text(properties.Runtime),
    Description: text(properties.Description),
    Timeout: number(properties.Timeout),
    MemorySize: number(properties.MemorySize),
    Environment:
      environment &&
      ({
        Variables: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)])),
      } as const),
    LoggingConfig: object(properties.LoggingConfig),
    TracingConfig: object(properties.TracingConfig),
    EphemeralStorage: properties.EphemeralStorage && { Size: number(object(properties.EphemeralStorage)?.Size) },
  });
}

/** In a template, ZipFile is the source itself; CloudFormation puts it into index.js. */
function code(properties: JsonObject): Record<string, unknown> {
  const { ZipFile: source, ...location } = object(properties.Code) ?? {};
  if (source === undefined) return location;
  return { ZipFile: writeZip([{ name: 'index.js', data: Buffer.from(String(source)) }]) };
}

async function setLimits(name: string, before: JsonObject, after: JsonObject, context: ResourceContext): Promise<void> {
  const reserved = number(after.ReservedConcurrentExecutions);
  if (reserved !== undefined) {
    await context.call('lambda', 'PutFunctionConcurrency', {
      FunctionName: name,
      ReservedConcurrentExecutions: reserved,
    });
  } else if (before.ReservedConcurrentExecutions !== undefined) {
    await context.call('lambda', 'DeleteFunctionConcurrency', { FunctionName: name });
  }
  const loop = text(after.RecursiveLoop) ?? (before.RecursiveLoop === undefined ? undefined : 'Terminate');
  if (loop !== undefined) {
    await context.call('lambda', 'PutFunctionRecursionConfig', { FunctionName: name, RecursiveLoop: loop });
  }
}
