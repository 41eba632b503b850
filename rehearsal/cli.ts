/** `npm start` and `npm run rehearse`: reads the command line, runs one scenario, and leaves nothing behind. */
import { requireLinuxAndRoot } from './host/packages.ts';
import { RehearsalError } from './host/rehearsal-error.ts';
import { access } from './scenarios/access/access.ts';
import { beanstalk } from './scenarios/beanstalk.ts';
import { cancel } from './scenarios/cancel.ts';
import { compare } from './scenarios/compare.ts';
import { container } from './scenarios/container.ts';
import { drift } from './scenarios/drift/drift.ts';
import { faults } from './scenarios/faults/faults.ts';
import { gates } from './scenarios/gates.ts';
import { migrate } from './scenarios/migrate.ts';
import { parseOptions, type ScenarioOptions, USAGE } from './scenarios/options.ts';
import { prepare } from './scenarios/prepare.ts';
import { serve } from './scenarios/serve.ts';
import { stackLife } from './scenarios/stack-life.ts';
import { start } from './scenarios/start.ts';
import { switchScenario } from './scenarios/switch.ts';

// The SDK's versions are pinned to ones that run here; its warning about those of next year would stand in every picture.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** @returns exit status: 0 only where nothing failed. The signal is Ctrl-C: end what is under way, in order. */
type Scenario = (options: ScenarioOptions, interrupted: AbortSignal) => Promise<number>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  start,
  switch: switchScenario,
  compare,
  stack: stackLife,
  gates,
  access,
  cancel,
  container,
  beanstalk,
  migrate,
  drift,
  faults,
  serve,
  prepare,
};

/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    throw new RehearsalError(
      'ERR_USAGE',
      name === '' ? 'no scenario was named' : `there is no scenario "${name}"`,
      USAGE,
    );
  }
  const options = parseOptions(args);
  requireLinuxAndRoot();
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) console.error('\nEnding: machines, load balancer, network …');
      controller.abort();
    });
  }
  try {
    return await scenario(options, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return INTERRUPTED;
    throw error;
  }
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    if (error instanceof RehearsalError) console.error(`proxyflip: ${error.code}: ${error.message}`);
    else console.error(error);
    process.exit(1);
  },
);
