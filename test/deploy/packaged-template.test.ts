import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { packageTemplate } from '../../deploy/packaged-template.ts';

const PRODUCT = `
Parameters:
  ArtifactBucket: { Type: String }
  ArtifactPrefix: { Type: String, Default: "" }
  Chat: { Type: String, AllowedValues: ["Off", "On"], Default: "Off" }
Resources:
  Function: { Type: AWS::Lambda::Function, Properties: { Code: { S3Bucket: { Ref: ArtifactBucket } } } }
`;
const FLEET = `
Resources:
  Switch: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: product.yaml } }
  Other: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: product.yaml } }
  Elsewhere: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: https://example.com/t.yaml } }
`;
const read = (name: string): string => ({ product: PRODUCT, fleet: FLEET })[name] ?? '';
const place = { bucket: 'artifacts', prefix: 'a/', region: 'eu-central-1' };
const read11 = (text: string) => parse(text, { version: '1.1' });

describe('a packaged template', () => {
  test('knows where its artifacts are, so that it can be deployed with nothing else given', () => {
    const [product] = packageTemplate('product', read, place);

    expect(read11(product?.text ?? '').Parameters).toEqual({
      ArtifactBucket: { Type: 'String', Default: 'artifacts' },
      ArtifactPrefix: { Type: 'String', Default: 'a/' },
      // Off and On are booleans to YAML 1.1, as CloudFormation reads it, where they are not quoted.
      Chat: { Type: 'String', AllowedValues: ['Off', 'On'], Default: 'Off' },
    });
    expect(read11(product?.text ?? '').Resources).toEqual(read11(PRODUCT).Resources);
  });

  test('has its content’s SHA-256 in its key, so that another one never takes its place', () => {
    const [product] = packageTemplate('product', read, place);
    const sum = createHash('sha256')
      .update(product?.text ?? '')
      .digest('hex');

    expect(product?.key).toBe(`templates/product-${sum}.yaml`);
    expect(product?.url).toBe(`https://s3.eu-central-1.amazonaws.com/artifacts/a/templates/product-${sum}.yaml`);
  });

  test('names what it nests by the address that this has in the bucket; once, and before itself', () => {
    const packaged = packageTemplate('fleet', read, place);
    const [product, fleet] = packaged;

    expect(packaged.map(({ name }) => name)).toEqual(['product', 'fleet']);
    const { Switch, Other, Elsewhere } = read11(fleet?.text ?? '').Resources;
    expect(Switch.Properties.TemplateURL).toBe(product?.url);
    expect(Other.Properties.TemplateURL).toBe(product?.url);
    expect(Elsewhere.Properties.TemplateURL).toBe('https://example.com/t.yaml');
  });

  test('in China is found in China', () => {
    expect(packageTemplate('product', read, { ...place, region: 'cn-north-1' })[0]?.url).toContain(
      'https://s3.cn-north-1.amazonaws.com.cn/artifacts/',
    );
  });

  test('nests files beside it alone', () => {
    const outside = 'Resources: { S: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: ../x/y.yaml } } }';
    expect(() => packageTemplate('t', () => outside, place)).toThrow('ERR_NO_TEMPLATE: S has TemplateURL ../x/y.yaml');
  });
});
