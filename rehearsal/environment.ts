/**
 * One account on one machine: network, AWS's services, and the doors between them and the host. Machines and load balancers
 * come into it through `fleet.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { SSMClient } from '@aws-sdk/client-ssm';
import { createAutoScalingService } from './autoscaling/service.ts';
import { type AwsEndpoint, startAwsEndpoint } from './aws/endpoint.ts';
import { AWS_NAMES } from './aws/in-place-of-aws.ts';
import type { Service } from './aws/service.ts';
import { createStsService } from './aws/sts.ts';
import { Cleanup } from './cleanup.ts';
import { type CloudFormationService, createCloudFormationService } from './cloudformation/service.ts';
import { PUBLIC_PARAMETERS } from './ec2/images.ts';
import { createInstanceMetadata } from './ec2/instance-metadata.ts';
import { createEc2Service } from './ec2/service.ts';
import { RedisServers } from './elasticache/redis-servers.ts';
import { createElastiCacheService } from './elasticache/service.ts';
import { HaproxyDataPlane } from './elb/data-plane/haproxy-data-plane.ts';
import { createElbService, type ElbService } from './elb/service.ts';
import { AlbDataPlane } from './elbv2/data-plane/haproxy-data-plane.ts';
import { createElbv2Service } from './elbv2/service.ts';
import { startPackageProxy } from './host/package-proxy.ts';
import { FOR_MACHINES, requirePackages } from './host/packages.ts';
import { RehearsalError } from './host/rehearsal-error.ts';
import { createRunDirectory, type RunDirectory, removeLeftovers } from './host/run-directory.ts';
import { type Authorizer, createAuthorizer } from './iam/authorizer.ts';
import { createInstanceSessions, type InstanceSessions } from './iam/instance-sessions.ts';
import { IamStore } from './iam/store.ts';
import { createLambdaService, type LambdaService } from './lambda/service.ts';
import { type ImageName, prepareImage, type Release } from './machines/images.ts';
import { instanceFiles } from './machines/instance-files.ts';
import { MachineLauncher } from './machines/launcher.ts';
import { createMonitoring, type Monitoring } from './monitoring.ts';
import { ADDRESSES, createFabric, type Fabric } from './network/fabric.ts';
import { Firewall } from './network/firewall.ts';
import { startGateway } from './network/gateway-process.ts';
import { createCertificate } from './nodes/certificate.ts';
import { NodePlaces } from './nodes/node-places.ts';
import { NODE24 } from './paths.ts';
import { createS3Service, type S3Service } from './s3/service.ts';
import { AGENT_VERSION, createSsmService, type SsmService } from './ssm/service.ts';
import { REGION, World } from './world.ts';

export interface EnvironmentOptions {
  readonly image: ImageName;
  readonly release: Release;
  readonly policyDelayMs: readonly [number, number];
  /** How long Run Command waits for an agent that is away. Default: as AWS, the time-outs of command and document together. */
  readonly deliveryTimeoutMs?: number | undefined;
  readonly nodes: number;
  /** Where the AWS endpoint is on 127.0.0.1; 0 = a port that is free. */
  readonly apiPort: number;
  /** Where the load balancer's TLS listener is on 127.0.0.1, for a browser; undefined = nowhere. */
  readonly pagePort: number | undefined;
  /** Progress of long work, for people. */
  readonly say: (line: string) => void;
}

/** An administrator's: any key is taken that is no session of a role, and names the caller in the records. */
export const CREDENTIALS = { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' };

/** Of the fleet that a scenario boots itself. */
const VPC_CIDR = '10.0.0.0/16';

export class Environment implements AsyncDisposable {
  readonly world = new World();
  /** By instance id, of those whose Systems Manager agent is not the newest. */
  readonly agentVersions = new Map<string, string>();
  readonly #cleanup = new Cleanup();
  readonly options: EnvironmentOptions;
  readonly directory: RunDirectory;
  readonly fabric: Fabric;
  /** Root file system of the machines, and of the programs that the load balancer's nodes run. */
  readonly machineImage: string;
  readonly dataPlane: HaproxyDataPlane;
  /** The same of Application Load Balancers. */
  readonly albDataPlane: AlbDataPlane;
  readonly iam = new IamStore();
  readonly authorizer: Authorizer;
  readonly #instanceSessions: InstanceSessions;
  /** By which AWS is known here: to instances, and to clients whose proxy the endpoint is. */
  readonly awsCertificate = createCertificate(AWS_NAMES);
  readonly elb: ElbService;
  readonly elbv2: Service;
  readonly ec2: Service;
  readonly autoScaling: Service;
  readonly elastiCache: Service;
  readonly ssm: SsmService;
  readonly s3: S3Service;
  readonly monitoring: Monitoring;
  readonly lambda: LambdaService;
  readonly cloudFormation: CloudFormationService;
  #endpoint: AwsEndpoint | undefined;

  /** @throws RehearsalError  something is missing on this host; nothing is left behind */
  static async start(options: EnvironmentOptions): Promise<Environment> {
    await requirePackages(FOR_MACHINES, options.say);
    for (const runId of await removeLeftovers()) options.say(`Removed what run ${runId}, which was killed, had left`);
    const machineImage = await prepareImage(options.release, options.image, options.say);
    // The nodes' HAProxy comes from an image that has it, whatever the machines have.
    const nodeImage = await prepareImage(options.release, 'baked', options.say);
    const directory = await createRunDirectory();
    try {
      const fabric = await createFabric(directory.runId);
      const environment = new Environment(options, directory, fabric, machineImage, nodeImage);
      try {
        await environment.#open();
        return environment;
      } catch (error) {
        await environment[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      await directory.remove();
      throw error;
    }
  }

  private constructor(
    options: EnvironmentOptions,
    directory: RunDirectory,
    fabric: Fabric,
    machineImage: string,
    nodeImage: string,
  ) {
    this.options = options;
    this.directory = directory;
    this.fabric = fabric;
    this.machineImage = machineImage;
    const { world } = this;
    const dispatcher = () => this.endpoint.dispatcher;
    this.#cleanup.add('the run directory', () => directory.remove());

    const places = new NodePlaces({ world, fabric, directory: directory.path });
    this.dataPlane = new HaproxyDataPlane({
      places,
      haproxy: { rootDirectory: nodeImage },
      nodes: options.nodes,
      policyDelayMs: { min: options.policyDelayMs[0], max: options.policyDelayMs[1] },
    });
    this.#cleanup.use("the load balancer's nodes", this.dataPlane);
    this.elb = createElbService({ world, dataPlane: this.dataPlane });
    this.albDataPlane = new AlbDataPlane({ places, haproxy: { rootDirectory: nodeImage }, nodes: options.nodes });
    this.#cleanup.use("the Application Load Balancers' nodes", this.albDataPlane);
    this.elbv2 = createElbv2Service({ world, dataPlane: this.albDataPlane });
    const firewall = new Firewall(world, fabric);
    world.networkChanged = () => firewall.update();
    const caches = new RedisServers({ fabric, directory: directory.path, say: options.say });
    this.#cleanup.use('caches', caches);
    this.elastiCache = createElastiCacheService({ world, servers: caches });
    const machines = new MachineLauncher({
      fabric,
      directory: directory.path,
      image: (name) => prepareImage(options.release, name, options.say),
      files: (image) => this.instanceFiles(image),
      trustedCertificates: () => caches.certificatesPem,
      say: options.say,
    });
    this.#cleanup.use('machines that were launched by EC2', machines);
    this.ec2 = createEc2Service({ world, machines, vpcs: [{ vpcId: this.#vpcId, cidrBlock: VPC_CIDR }] });
    const autoScaling = createAutoScalingService({
      world,
      call: (service, action, input) => dispatcher().call(service, action, input),
    });
    this.autoScaling = autoScaling;
    this.#cleanup.add('Auto Scaling', () => autoScaling.close());
    const security = createAuthorizer({
      iam: this.iam,
      facts: { assumeRoleOf: (name, version) => this.ssm.assumeRoleOf(name, version) },
    });
    this.authorizer = security;
    this.#instanceSessions = createInstanceSessions({ world, iam: this.iam, security });
    this.s3 = createS3Service({ directory: path.join(directory.path, 's3'), security });
    this.ssm = createSsmService({
      world,
      dispatcher,
      security,
      instanceSession: (instanceId) => this.#instanceSessions(instanceId)?.accessKeyId,
      publicParameters: PUBLIC_PARAMETERS,
      options: {
        agentVersion: ({ instanceId }) => this.agentVersions.get(instanceId) ?? AGENT_VERSION,
        deliveryTimeoutMs: options.deliveryTimeoutMs,
      },
    });
    this.#cleanup.add('Systems Manager', () => this.ssm.close());
    this.monitoring = createMonitoring(dispatcher);
    this.#cleanup.add('alarms, schedules and events', () => this.monitoring.close());
    this.lambda = createLambdaService({
      nodeBinary: NODE24,
      endpointUrl: () => this.endpoint.url,
      directory: path.join(directory.path, 'lambda'),
      getObject: (bucket, key) => this.s3.getObject(bucket, key),
      security,
      ...this.monitoring.lambda,
    });
    this.#cleanup.add("Lambda's functions", () => this.lambda.close());
    this.cloudFormation = createCloudFormationService({
      dispatcher,
      iam: this.iam,
      getObject: (bucket, key) => this.s3.getObject(bucket, key),
    });
    this.#cleanup.add('CloudFormation', () => this.cloudFormation.close());
  }

  async #open(): Promise<void> {
    for (const index of [0, 1]) {
      const subnetId = `subnet-0${this.directory.runId}${index}`;
      this.world.subnets.set(subnetId, {
        subnetId,
        vpcId: this.#vpcId,
        cidrBlock: `10.0.${101 + index}.0/24`,
        availabilityZone: `${REGION}${'ab'[index]}`,
      });
    }
    this.#endpoint = await startAwsEndpoint({
      services: [
        this.elb,
        this.elbv2,
        this.ec2,
        this.autoScaling,
        this.elastiCache,
        this.ssm,
        this.lambda,
        this.cloudFormation,
        ...this.monitoring.services,
        createStsService(this.authorizer),
        this.s3,
      ],
      port: this.options.apiPort,
      interceptors: [this.authorizer],
      certificate: this.awsCertificate,
    }).catch(portTaken(this.options.apiPort, '--api-port'));
    this.#cleanup.add('the AWS endpoint', () => this.endpoint.close());

    const socket = (name: string): string => path.join(this.directory.path, `${name}.sock`);
    this.#cleanup.use('the package proxy', await startPackageProxy(socket('packages')));
    await this.#listen('S3', createServer(this.s3.listener), { path: socket('s3') });
    const { certificatePem: cert, privateKeyPem: key } = this.awsCertificate;
    await this.#listen('S3 by TLS', createTlsServer({ cert, key }, this.s3.listener), { path: socket('s3-tls') });
    const metadata = createInstanceMetadata({
      instanceAt: (address) => [...this.world.instances.values()].find((each) => each.privateIpAddress === address),
      credentialsOf: this.#instanceSessions,
    });
    await this.#listen('the metadata service', metadata, { path: socket('metadata') });
    this.#cleanup.use(
      'the gateway',
      await startGateway(this.fabric, [
        `tcp:${ADDRESSES.gateway}:${ADDRESSES.s3Port}>unix:${socket('s3')}`,
        `tcp:${ADDRESSES.gateway}:${ADDRESSES.s3TlsPort}>unix:${socket('s3-tls')}`,
        `tcp+peer-address:${ADDRESSES.metadata}:80>unix:${socket('metadata')}`,
        `tcp:${ADDRESSES.gateway}:${ADDRESSES.packageProxyPort}>unix:${socket('packages')}`,
        `unix:${socket('page')}>tcp:${ADDRESSES.node(0)}:443`,
      ]),
    );
    if (this.options.pagePort !== undefined) await this.#openPage(this.options.pagePort, socket('page'));
  }

  /** A browser on the host has no way into the rehearsal's network but this. */
  async #openPage(port: number, socketPath: string): Promise<void> {
    const connections = new Set<net.Socket>();
    const server = net.createServer((inside) => {
      const outside = net.connect(socketPath);
      for (const each of [inside, outside]) {
        connections.add(each);
        each.on('error', () => {}).on('close', () => connections.delete(each));
      }
      inside.pipe(outside).pipe(inside);
      inside.on('close', () => outside.destroy());
      outside.on('close', () => inside.destroy());
    });
    this.#cleanup.add('the connections of the page', () => {
      for (const connection of connections) connection.destroy();
    });
    await this.#listen('the page', server, { port, host: '127.0.0.1' }).catch(portTaken(port, '--page-port'));
  }

  async #listen(what: string, server: net.Server, where: net.ListenOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve));
    this.#cleanup.add(what, () => {
      if (server instanceof Server) server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    });
  }

  get #vpcId(): string {
    return `vpc-0${this.directory.runId}`;
  }

  get endpoint(): AwsEndpoint {
    if (this.#endpoint === undefined) throw new Error('the AWS endpoint is not open yet');
    return this.#endpoint;
  }

  /** What a machine needs to be an instance. @param image  its image's directory */
  instanceFiles(image: string): Promise<Readonly<Record<string, string>>> {
    return instanceFiles(image, this.awsCertificate.certificatePem, this.s3.bucketNames);
  }

  /** Also for what a scenario starts in it: ended before the environment is. */
  get cleanup(): Cleanup {
    return this.#cleanup;
  }

  /** The SDK's own clients, as a user has them: nothing is called past the wire. */
  get clients(): { elb: ElasticLoadBalancingClient; ssm: SSMClient; cloudFormation: CloudFormationClient } {
    const configuration = { region: REGION, endpoint: this.endpoint.url, credentials: CREDENTIALS };
    return {
      elb: new ElasticLoadBalancingClient(configuration),
      ssm: new SSMClient(configuration),
      cloudFormation: new CloudFormationClient(configuration),
    };
  }

  file(name: string, content: string | Uint8Array): Promise<string> {
    const file = path.join(this.directory.path, name);
    return writeFile(file, content).then(() => file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

function portTaken(port: number, option: string) {
  return (error: NodeJS.ErrnoException): never => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new RehearsalError(
      'ERR_PORT_TAKEN',
      `port ${port} on 127.0.0.1 is taken`,
      `free it, or name another with ${option}`,
    );
  };
}
