/**
 * The browser's stage in the rehearsal: two machines behind the load balancer's TLS listener, in `proxy`, over one Redis. An
 * instance is restarted as it is in life: the Command document upgrades the chat on it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import {
  CreateLoadBalancerPolicyCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { ListCommandInvocationsCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import { RedisServers } from '../../rehearsal/elasticache/redis-servers.ts';
import { Environment } from '../../rehearsal/environment.ts';
import {
  ARTIFACT_BUCKET,
  INSTANCE_PORTS,
  LOAD_BALANCER,
  RECEIVER_DOCUMENT,
  runReceiverDocument,
  startFleet,
} from '../../rehearsal/fleet.ts';
import { ADDRESSES } from '../../rehearsal/network/fabric.ts';
import { startGateway } from '../../rehearsal/network/gateway-process.ts';
import { DIST } from '../../rehearsal/paths.ts';
import { temporaryDirectory } from './support.ts';

/** One person's way to the chat: an address of their own, and what may go wrong on it. */
export interface Way {
  readonly url: string;
  /** Cut what is open and let nothing through until it is `false` again. */
  cut(isCut: boolean): void;
  /** A proxy on the way that does not know the upgrade. */
  refuseWebSockets(isRefused: boolean): void;
}

/** Where the browser tests play: several instances behind a TLS listener, round robin. */
export interface Stage {
  way(address: string): Promise<Way>;
  restartInstance(name: string): Promise<void>;
  close(): Promise<void>;
}

const REDIS = '10.0.0.6';
const TRUSTED_CIDRS = '10.0.101.0/24 10.0.102.0/24';

export async function openStage(): Promise<Stage> {
  const environment = await Environment.start({
    image: 'baked',
    release: 'bookworm',
    policyDelayMs: [0, 0],
    nodes: 2,
    apiPort: 0,
    pagePort: undefined,
    say: () => {},
  });
  try {
    return await play(environment);
  } catch (error) {
    await environment[Symbol.asyncDispose]();
    throw error;
  }
}

async function play(environment: Environment): Promise<Stage> {
  const { instances, chat } = await startFleet(environment, 2);
  await startRedis(environment);
  for (const { machine } of instances) {
    const settings = `CHAT_REDIS_URL=redis://${REDIS}:6379\nCHAT_RECONNECT_SPREAD_SECONDS=1\n`;
    await machine.exec(['sh', '-c', 'cat >>/etc/proxyflip/chat.env && systemctl restart proxyflip-chat'], {
      stdin: settings,
    });
  }
  await switchToProxy(environment, chat);
  const upgraded = await uploadUpgrade(environment, chat);

  const directory = await temporaryDirectory();
  const certificate = await makeCertificate(directory.path);
  const { dnsName } = environment.elb.loadBalancers.get(LOAD_BALANCER);
  const namespaces = new Map<string, string>();
  let turn = 0;

  return {
    async way(address) {
      // A person is a host of the network: what the load balancer sees is that host's address.
      let namespace = namespaces.get(address);
      if (namespace === undefined) {
        ({ namespace } = await environment.fabric.addHost(`person-${namespaces.size}`, [address]));
        namespaces.set(address, namespace);
      }
      const sockets = environment.dataPlane.addresses(LOAD_BALANCER).map((node) => ({
        node,
        path: path.join(environment.directory.path, `${namespace}-${turn++}.sock`),
      }));
      environment.cleanup.use(
        `the way of ${address}`,
        await startGateway(
          { namespace },
          sockets.map((each) => `unix:${each.path}>tcp:${each.node}:443`),
        ),
      );
      const open = new Set<net.Socket>();
      let isCut = false;
      let isRefused = false;

      // Stands on the way as a company's proxy does: it ends TLS, and may refuse an upgrade.
      const server = tls.createServer(certificate);
      server.on('secureConnection', (inside) => {
        if (isCut) return inside.destroy();
        const socket = sockets[turn++ % sockets.length];
        const outside = tls.connect({
          socket: net.connect(socket?.path ?? ''),
          servername: dnsName,
          ca: environment.dataPlane.certificatePem,
        });
        for (const each of [inside, outside]) {
          open.add(each);
          each.on('error', () => {}).on('close', () => open.delete(each));
        }
        inside.on('close', () => outside.destroy());
        outside.on('close', () => inside.destroy());
        inside.on('data', (chunk: Buffer) => {
          if (isRefused && /^Upgrade: *websocket/im.test(chunk.toString('latin1'))) {
            inside.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
          } else outside.write(chunk);
        });
        outside.pipe(inside);
      });

      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      environment.cleanup.add(`the person at ${address}`, () => {
        for (const each of open) each.destroy();
        server.close();
      });
      return {
        url: `https://localhost:${(server.address() as net.AddressInfo).port}`,
        cut(value) {
          isCut = value;
          if (isCut) for (const each of open) each.destroy();
        },
        refuseWebSockets(value) {
          isRefused = value;
        },
      };
    },
    async restartInstance(name) {
      const instance = instances[name === 'one' ? 0 : 1];
      await upgradeChat(environment, instance?.instanceId ?? '', upgraded);
    },
    async close() {
      await environment[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function startRedis({ fabric, directory, cleanup }: Environment): Promise<void> {
  const servers = new RedisServers({ fabric, directory: directory.path, say: () => {} });
  cleanup.use('Redis', servers);
  await servers.start({ name: 'chat', privateIpAddress: REDIS, port: 6379, isEncrypted: false });
}

/** Both sides at once: nobody is there yet. */
async function switchToProxy(environment: Environment, chat: Readonly<Record<string, string>>): Promise<void> {
  const { elb } = environment.clients;
  const PolicyName = 'proxy-protocol';
  await elb.send(
    new CreateLoadBalancerPolicyCommand({
      LoadBalancerName: LOAD_BALANCER,
      PolicyName,
      PolicyTypeName: 'ProxyProtocolPolicyType',
      PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
    }),
  );
  for (const InstancePort of [80, 81]) {
    await elb.send(
      new SetLoadBalancerPoliciesForBackendServerCommand({
        LoadBalancerName: LOAD_BALANCER,
        InstancePort,
        PolicyNames: [PolicyName],
      }),
    );
  }
  await runReceiverDocument(environment, { ...modeProxy, ...chat });
}

const modeProxy = { Operation: 'SetMode', Mode: 'proxy', InstancePorts: INSTANCE_PORTS, TrustedCidrs: TRUSTED_CIDRS };

/** The same files under another checksum: the time in the header of the gzip file is another. */
async function uploadUpgrade(
  environment: Environment,
  chat: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const file = path.basename(chat.ChatArtifactUrl ?? '');
  const archive = await readFile(path.join(DIST, 'chat-artifact', file));
  archive.writeUInt32LE(1, 4);
  await environment.s3.putObject(ARTIFACT_BUCKET, 'chat-upgrade.tar.gz', archive);
  return {
    Chat: 'On',
    ChatArtifactUrl: `http://${ADDRESSES.gateway}/${ARTIFACT_BUCKET}/chat-upgrade.tar.gz`,
    ChatArtifactSha256: createHash('sha256').update(archive).digest('hex'),
  };
}

async function upgradeChat(
  environment: Environment,
  instanceId: string,
  chat: Readonly<Record<string, string>>,
): Promise<void> {
  const { ssm } = environment.clients;
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: RECEIVER_DOCUMENT,
      InstanceIds: [instanceId],
      Parameters: Object.fromEntries(Object.entries({ ...modeProxy, ...chat }).map(([key, value]) => [key, [value]])),
    }),
  );
  for (;;) {
    await sleep(200);
    const { CommandInvocations = [] } = await ssm.send(
      new ListCommandInvocationsCommand({ CommandId: Command?.CommandId, Details: true }),
    );
    const [invocation] = CommandInvocations;
    if (invocation === undefined || ['Pending', 'InProgress', 'Delayed'].includes(invocation.Status ?? '')) continue;
    if (invocation.Status !== 'Success') throw new Error(invocation.CommandPlugins?.[0]?.Output);
    const said = JSON.parse(invocation.CommandPlugins?.[0]?.Output?.trim().split('\n').at(-1) ?? '{}');
    if (said.changed !== true) throw new Error(`the chat on ${instanceId} was not upgraded`);
    return;
  }
}

async function makeCertificate(directory: string): Promise<{ key: Buffer; cert: Buffer }> {
  const [key, cert] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ]);
  return { key: await readFile(key), cert: await readFile(cert) };
}
