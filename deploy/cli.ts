/** `npm run package` and `npm run deploy`: reads the command line and the environment, runs one of them. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { autoScalingClient, elasticLoadBalancingClient, systemsManagerClient } from '../functions/shared/clients.ts';
import { systemClock } from '../functions/shared/clock.ts';
import { ProxyflipError } from '../functions/shared/errors.ts';
import { deploy } from './deploy.ts';
import { explain } from './explain.ts';
import { parseCommandLine, USAGE } from './options.ts';
import { describeObjects, preparePackage, uploadPackage } from './package.ts';

// The SDK's versions are pinned to ones that run here; its warning about those of next year would stand before every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
// What the AWS CLI reads and the SDK does not: one environment has to do for both.
if (process.env.AWS_DEFAULT_REGION !== undefined) process.env.AWS_REGION ??= process.env.AWS_DEFAULT_REGION;

async function main(args: readonly string[]): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (commandLine.command === 'help') {
    console.log(USAGE);
    return 0;
  }
  const startedAt = Date.now();
  const s3 = new S3Client({ followRegionRedirects: false });
  const packaging = { s3, region: await s3.config.region(), root: fileURLToPath(new URL('../..', import.meta.url)) };
  if (commandLine.command === 'package') {
    const { bucket, output } = commandLine.options;
    const prepared = await preparePackage(packaging, commandLine.options);
    for (const line of describeObjects(bucket, await uploadPackage(s3, prepared))) console.log(line);
    if (output !== undefined) await writeFile(output, prepared.template.text);
    console.log(`template  ${prepared.template.url}`);
    return 0;
  }
  const deps = {
    ...packaging,
    cloudFormation: new CloudFormationClient({ maxAttempts: 10 }),
    autoScaling: autoScalingClient(),
    elb: elasticLoadBalancingClient(),
    ssm: systemsManagerClient(),
    clock: systemClock,
    say: (line: string) => console.log(`${clockFace(Date.now() - startedAt)}  ${line}`),
  };
  return deploy(deps, commandLine.options);
}

/** `01:05`, minutes and seconds. */
function clockFace(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    const told = explain(error);
    if (told instanceof ProxyflipError) console.error(`proxyflip: ${told.message}`);
    else console.error(told);
    process.exit(1);
  },
);
