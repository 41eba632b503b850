/** Source: API reference, StandardUnit. */
const SIZES = [
  'Bytes',
  'Kilobytes',
  'Megabytes',
  'Gigabytes',
  'Terabytes',
  'Bits',
  'Kilobits',
  'Megabits',
  'Gigabits',
  'Terabits',
];

export const UNITS: readonly string[] = [
  'Seconds',
  'Microseconds',
  'Milliseconds',
  ...SIZES,
  'Percent',
  'Count',
  ...SIZES.map((size) => `${size}/Second`),
  'Count/Second',
  'None',
];
