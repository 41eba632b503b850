/** `npm test` before anything else: Debian's packages that the tests need, and the machine images, once. */
import { FOR_MACHINES, FOR_TESTS, requirePackages } from '../host/packages.ts';
import { prepareImage, RELEASES } from '../machines/images.ts';

export async function prepare(): Promise<number> {
  const say = (line: string): void => console.log(line);
  await requirePackages([...FOR_MACHINES, ...FOR_TESTS], say);
  for (const release of RELEASES) await prepareImage(release, 'baked', say);
  return 0;
}
