/** `npm run rehearse -- serve`: a fleet behind a load balancer, and the APIs, for the AWS CLI and for looking around. */
import { once } from 'node:events';
import { CREDENTIALS, Environment } from '../environment.ts';
import { FLEET_TAG, LOAD_BALANCER, RECEIVER_DOCUMENT, startFleet } from '../fleet.ts';
import { ADDRESSES } from '../network/fabric.ts';
import { REGION } from '../world.ts';
import type { ScenarioOptions } from './options.ts';

export async function serve(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const environment = await Environment.start({ ...options, say: (line) => console.log(line) });
  try {
    const fleet = await startFleet(environment, options.machines);
    interrupted.throwIfAborted();
    const certificates = await environment.file('aws.pem', environment.awsCertificate.certificatePem);
    console.log(`
export AWS_ENDPOINT_URL=${environment.endpoint.url}
export AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${CREDENTIALS.secretAccessKey}
export AWS_DEFAULT_REGION=${REGION}

# The AWS CLI before 2.13, such as Debian 12's, does not read AWS_ENDPOINT_URL. As its proxy, the endpoint is AWS:
aws() { https_proxy=$AWS_ENDPOINT_URL no_proxy= AWS_CA_BUNDLE=${certificates} command aws "$@"; }

load balancer   ${LOAD_BALANCER}, nodes ${Array.from({ length: options.nodes }, (_, index) => ADDRESSES.node(index)).join(', ')}
instances       ${fleet.instances.map(({ instanceId }) => instanceId).join(', ')}
fleet tag       ${FLEET_TAG.key}=${FLEET_TAG.value}
documents       ${RECEIVER_DOCUMENT}
chat            ${fleet.chat.ChatArtifactUrl}
                sha256 ${fleet.chat.ChatArtifactSha256}
page            https://127.0.0.1:${options.pagePort}/

Serving until Ctrl-C`);
    await once(interrupted, 'abort');
    return 0;
  } finally {
    await environment[Symbol.asyncDispose]();
  }
}
