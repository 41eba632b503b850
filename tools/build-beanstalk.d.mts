/** @param out  the directory that is made anew; `dist/beanstalk` */
export function buildBeanstalk(out?: string): Promise<void>;
