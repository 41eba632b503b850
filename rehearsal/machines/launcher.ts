/**
 * Machines for EC2: booted from the image that an AMI stands for, with the user data run once, and ended for good.
 *
 * What cloud-init does with user data that is no script (`#cloud-config`) is not here: it is refused, so that nobody takes it for done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cleanup } from '../cleanup.ts';
import { MACHINE_IMAGES } from '../ec2/images.ts';
import type { LaunchRequest, Machines } from '../ec2/parts.ts';
import type { Fabric } from '../network/fabric.ts';
import type { Machine } from '../world.ts';
import type { ImageName } from './images.ts';
import { type StartedMachine, startMachine } from './machine.ts';

export interface LauncherOptions {
  readonly fabric: Fabric;
  /** The run's directory. */
  readonly directory: string;
  /** The image's directory; made if it is not there. */
  readonly image: (name: ImageName) => Promise<string>;
  /** By path, put on the machine before it boots. @param image  the image's directory */
  readonly files: (image: string) => Promise<Readonly<Record<string, string>>>;
  /** PEM; what machines trust beside the authorities that everybody does. '' = nothing. */
  readonly trustedCertificates: () => string;
  /** For people: what failed on a machine and stops nothing, as on AWS. */
  readonly say: (line: string) => void;
}

const USER_DATA = '/var/lib/cloud/instance/user-data';
const TRUSTED = '/etc/rehearsal-certificates.pem';
const POLL_MS = 50;

export class MachineLauncher implements Machines, AsyncDisposable {
  readonly #options: LauncherOptions;
  readonly #started = new Map<string, StartedMachine>();
  /** Machines that boot just now, so that the end does not pass them by. */
  readonly #booting = new Set<Promise<unknown>>();
  readonly #images = new Map<ImageName, Promise<string>>();
  #closed = false;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  async launch(request: LaunchRequest): Promise<Machine> {
    if (this.#closed) throw new Error('the rehearsal has ended');
    const booting = this.#boot(request);
    this.#booting.add(booting);
    try {
      return await booting;
    } finally {
      this.#booting.delete(booting);
    }
  }

  async terminate(machine: Machine): Promise<void> {
    const started = this.#started.get(machine.name);
    this.#started.delete(machine.name);
    await started?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    while (this.#booting.size > 0) await sleep(POLL_MS);
    const cleanup = new Cleanup();
    for (const machine of this.#started.values()) cleanup.use(`machine ${machine.name}`, machine);
    await cleanup[Symbol.asyncDispose]();
  }

  /** Made once, however many machines of a group wait for it. */
  #image(name: ImageName): Promise<string> {
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    const image = this.#options.image(name);
    this.#images.set(name, image);
    // One that could not be made is tried again with the next machine.
    image.catch(() => this.#images.delete(name));
    return image;
  }

  async #boot({ instanceId, privateIpAddress, imageId, userData }: LaunchRequest): Promise<Machine> {
    if (userData !== '' && !userData.startsWith('#!')) {
      throw new Error(`user data of ${instanceId} must begin with #!: the rehearsal has no cloud-init`);
    }
    const { fabric, directory, trustedCertificates, say } = this.#options;
    const certificates = trustedCertificates();
    const image = await this.#image(MACHINE_IMAGES.get(imageId)?.image ?? 'amazon');
    const machine = await startMachine({
      // Short, since the name of its network namespace is made of it.
      name: instanceId.slice(-8),
      fabric,
      privateIpAddress,
      image,
      directory,
      files: {
        ...(await this.#options.files(image)),
        ...(certificates !== '' && {
          [TRUSTED]: certificates,
          '/etc/systemd/system.conf.d/rehearsal.conf': `[Manager]\nDefaultEnvironment=NODE_EXTRA_CA_CERTS=${TRUSTED}\n`,
        }),
      },
    });
    this.#started.set(machine.name, machine);
    if (userData !== '') {
      const run = `mkdir -p ${USER_DATA.slice(0, USER_DATA.lastIndexOf('/'))} && cat >${USER_DATA} && chmod 700 ${USER_DATA} && ${USER_DATA}`;
      const { exitCode, stderr } = await machine.exec(['sh', '-c', run], { stdin: userData });
      if (exitCode !== 0) say(`user data of ${instanceId} ended with status ${exitCode}: ${stderr.trim()}`);
    }
    return machine;
  }
}
