/** The machine images that the account may launch, by the public parameters that name them. */
import type { ImageName } from '../machines/images.ts';

export interface MachineImage {
  readonly imageId: string;
  readonly architecture: 'arm64' | 'x86_64';
  readonly image: ImageName;
}

/** Source of the names: Amazon Linux 2023 user guide, "Launching AL2023 using the SSM parameter". */
const NAME = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default';

/** Whatever an image's architecture, a machine runs the host's: they differ in their ids, and in the types that they go with. */
export const MACHINE_IMAGES: ReadonlyMap<string, MachineImage> = new Map(
  (['arm64', 'x86_64'] as const).map((architecture, index) => {
    const imageId = `ami-0a12023000000000${index}`;
    return [imageId, { imageId, architecture, image: 'amazon' }];
  }),
);

/** What Parameter Store has for everybody. */
export const PUBLIC_PARAMETERS: ReadonlyMap<string, string> = new Map(
  [...MACHINE_IMAGES.values()].map(({ imageId, architecture }) => [`${NAME}-${architecture}`, imageId]),
);

/** Graviton is the `g` behind the generation: t4g, m7gd. Source: EC2 user guide, "Instance type naming conventions". */
export function architectureOf(instanceType: string): MachineImage['architecture'] {
  return /^[a-z]+\d+[a-z]*g[a-z]*\./.test(instanceType) ? 'arm64' : 'x86_64';
}
