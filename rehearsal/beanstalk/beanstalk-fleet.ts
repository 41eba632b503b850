/** An environment of Elastic Beanstalk with a Classic Load Balancer: instances, a first deployment, and the listeners of its settings. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../environment.ts';
import {
  ARTIFACT_BUCKET,
  createLoadBalancer,
  type Fleet,
  LOAD_BALANCER,
  type LoadBalancerShape,
  launchInstance,
  registerInstances,
  waitInService,
} from '../fleet.ts';
import { ADDRESSES } from '../network/fabric.ts';
import { DIST } from '../paths.ts';
import type { Machine } from '../world.ts';
import { type Bundle, deploy, layOutPlatform, type OptionSettings, readBundle, run } from './platform.ts';

const CLASSIC = path.join(DIST, 'beanstalk/classic');
const POLICY = path.join(DIST, 'beanstalk/classic-policy');

/** The bundle of the first deployment, and the one with the policy. */
export const bundles = (): { without: Bundle; withPolicy: Bundle } => ({
  without: readBundle([CLASSIC]),
  withPolicy: readBundle([CLASSIC, POLICY]),
});

export async function startBeanstalkFleet(environment: Environment, machines: number): Promise<Fleet> {
  const { say } = environment.options;
  const { without } = bundles();
  say(`Booting ${machines} machines as Beanstalk lays them out`);
  const archive = await uploadApplication(environment);
  const instances = await Promise.all(
    Array.from({ length: machines }, (_, index) => launchInstance(environment, index)),
  );
  say('Deploying the application, the receiver beside it');
  await Promise.all(
    instances.map(async ({ machine }) => {
      await layOutPlatform(machine);
      await startApplication(machine, archive);
      await deploy(machine, without, 'hooks');
    }),
  );
  await createLoadBalancer(environment, LOAD_BALANCER, shapeOf(without.optionSettings));
  await registerInstances(environment, instances);
  await waitInService(environment, instances.length);
  return { instances };
}

/** @throws Error  the settings have no such listener */
function shapeOf(settings: OptionSettings): LoadBalancerShape {
  const port = (loadBalancerPort: number, protocol: string): number => {
    const listener = settings[`aws:elb:listener:${loadBalancerPort}`];
    if (listener?.ListenerProtocol !== protocol || listener.InstanceProtocol !== 'TCP') {
      throw new Error(`the settings have no listener ${protocol} ${loadBalancerPort} to TCP`);
    }
    return Number(listener.InstancePort);
  };
  return {
    httpPort: port(80, 'TCP'),
    httpsPort: port(443, 'SSL'),
    healthCheck: String(settings['aws:elasticbeanstalk:application']?.['Application Healthcheck URL']),
  };
}

async function uploadApplication(environment: Environment): Promise<string> {
  const { file } = JSON.parse(await readFile(path.join(DIST, 'chat-artifact/chat-artifact.json'), 'utf8'));
  await environment.s3.putObject(ARTIFACT_BUCKET, file, await readFile(path.join(DIST, 'chat-artifact', file)));
  return `http://${ADDRESSES.gateway}/${ARTIFACT_BUCKET}/${file}`;
}

/** An application of Beanstalk's has one port; the chat service has one for WebSockets beside it, so that something joins the two. */
const JOINED = `defaults
    mode http
    timeout connect 5s
    timeout client 4060s
    timeout server 4060s
frontend application
    bind 127.0.0.1:8080
    use_backend websocket if { path_beg /ws/ }
    default_backend page
backend page
    server chat 127.0.0.1:8000
backend websocket
    server chat 127.0.0.1:9000
`;

async function startApplication(machine: Machine, archive: string): Promise<void> {
  await run(
    machine,
    `mkdir -p /var/app/current && cd /var/app/current && curl --fail --silent --show-error ${archive} | tar -xz
     cat >joined.cfg <<'EOF'
${JOINED}EOF
     systemd-run --quiet --unit=web --working-directory=/var/app/current bin/node chat.mjs
     systemd-run --quiet --unit=web-joined haproxy -db -f /var/app/current/joined.cfg
     until curl --silent --output /dev/null http://127.0.0.1:8080/healthz; do sleep 0.1; done`,
  );
}
