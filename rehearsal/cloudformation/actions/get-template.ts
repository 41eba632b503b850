import { isObject, type JsonObject } from '../json.ts';
import type { CloudFormationActions } from '../parts.ts';
import { readBody } from '../request.ts';
import { parseText, readTemplate } from '../template.ts';

export const getTemplate: CloudFormationActions<'GetTemplate' | 'GetTemplateSummary' | 'ValidateTemplate'> = ({
  store,
  getObject,
  findType,
}) => {
  /** From the template alone, without parameters: so includes are not made, and conditions not decided. */
  function summarize(body: string): Record<string, unknown> {
    const template = readTemplate(parseText(body));
    const resources = Object.values(template.resources);
    const needed = resources.flatMap(({ type, properties }) => findType(type)?.capability?.(properties) ?? []);
    return {
      ...(template.description !== undefined && { Description: template.description }),
      Parameters: Object.entries(template.parameters).map(([key, declaration]) =>
        describeDeclaration(key, declaration),
      ),
      Capabilities: [...new Set(needed)],
      ...(needed.length > 0 && {
        CapabilitiesReason: `The following resource(s) require capabilities: [${resources
          .map(({ type }) => type)
          .filter((type) => findType(type)?.capability !== undefined)
          .join(', ')}]`,
      }),
      ResourceTypes: [...new Set(resources.map(({ type }) => type))],
      Version: '2010-09-09',
      ...(isObject(template.metadata) && { Metadata: JSON.stringify(template.metadata) }),
    };
  }

  return {
    GetTemplate({ StackName }) {
      return { TemplateBody: store.get(StackName).prepared?.body ?? '', StagesAvailable: ['Original', 'Processed'] };
    },
    async GetTemplateSummary(input) {
      const { StackName, ...source } = input;
      if (StackName !== undefined) return summarize(store.get(StackName).prepared?.body ?? '');
      return summarize(await readBody(source, undefined, getObject));
    },
    async ValidateTemplate(input) {
      const { ResourceTypes, Version, Metadata, Parameters, ...shown } = summarize(
        await readBody(input, undefined, getObject),
      );
      const parameters = (Parameters as Record<string, unknown>[]).map(
        ({ ParameterKey, DefaultValue, NoEcho, Description }) => ({ ParameterKey, DefaultValue, NoEcho, Description }),
      );
      return { ...shown, Parameters: parameters };
    },
  };
};

function describeDeclaration(key: string, declaration: JsonObject): Record<string, unknown> {
  const { Default, Type, NoEcho, Description, AllowedValues } = declaration;
  return {
    ParameterKey: key,
    ...(Default !== undefined && { DefaultValue: String(Default) }),
    ParameterType: Type,
    NoEcho: String(NoEcho) === 'true',
    ...(Description !== undefined && { Description }),
    ParameterConstraints: { AllowedValues: Array.isArray(AllowedValues) ? AllowedValues.map(String) : [] },
  };
}
