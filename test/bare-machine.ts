/** One booted machine, at the address of the first instance, and whoever else a test wants on its network; no load balancer, no Systems Manager, no account. */
import { Cleanup } from '../rehearsal/cleanup.ts';
import { FOR_MACHINES, requireLinuxAndRoot, requirePackages } from '../rehearsal/host/packages.ts';
import { createRunDirectory, removeLeftovers } from '../rehearsal/host/run-directory.ts';
import { prepareImage, type Release } from '../rehearsal/machines/images.ts';
import { type StartedMachine, startMachine } from '../rehearsal/machines/machine.ts';
import { ADDRESSES, createFabric, type Fabric } from '../rehearsal/network/fabric.ts';
import { shippedScript } from '../tools/build-documents.mjs';

/** Booting, and making the image where there is none yet. */
export const BOOT_LIMIT_MS = 180_000;

const NAME = 'm0';

export class BareMachine implements AsyncDisposable {
  readonly fabric: Fabric;
  readonly machine: StartedMachine;
  /** Its network namespace, for what a test runs beside its own processes. */
  readonly namespace: string;
  /** For the test's own files; it goes with the machine. */
  readonly directory: string;
  readonly #cleanup: Cleanup;

  private constructor(fabric: Fabric, machine: StartedMachine, directory: string, cleanup: Cleanup) {
    this.fabric = fabric;
    this.machine = machine;
    this.namespace = `pf${fabric.runId}-${NAME}`;
    this.directory = directory;
    this.#cleanup = cleanup;
  }

  static async boot(release: Release): Promise<BareMachine> {
    requireLinuxAndRoot();
    await requirePackages(FOR_MACHINES, console.log);
    await removeLeftovers();
    const image = await prepareImage(release, 'baked', console.log);
    const cleanup = new Cleanup();
    try {
      const run = await createRunDirectory();
      cleanup.add('the run directory', () => run.remove());
      const fabric = await createFabric(run.runId);
      const privateIpAddress = ADDRESSES.instance(0);
      const machine = await startMachine({ name: NAME, fabric, privateIpAddress, image, directory: run.path });
      cleanup.use('the machine', machine);
      return new BareMachine(fabric, machine, run.path, cleanup);
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Standard output, without the line's end; whatever the exit status is. */
  async shell(text: string): Promise<string> {
    return (await this.machine.exec(['bash', '-c', text])).stdout.trim();
  }

  /**
   * Run a Command document's script as the agent does, with its parameters in the environment.
   * @returns its whole output
   * @throws Error  it failed: what it said on standard error
   */
  async runScript(
    name: string,
    parameters: Readonly<Record<string, string>>,
    script = shippedScript(name),
  ): Promise<string> {
    const env = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`SSM_${key}`, value]));
    const { exitCode, stdout, stderr } = await this.machine.exec(
      ['bash', '-c', `cat >/tmp/${name} && bash /tmp/${name}`],
      { env, stdin: script },
    );
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup[Symbol.asyncDispose]();
  }
}
