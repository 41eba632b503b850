/** What a test file says by describe, test and beforeEach, as a list that can be run in any part and more than once. */
import { format } from 'node:util';

/**
 * @param file  stands in the tests' ids
 * @param load  runs the file with these globals
 * @returns     in the order of the file: `id`, unique; `name`; `run`, which throws where the test fails
 */
export function collectTests(file, load) {
  const tests = [];
  let group = { names: [], before: [], after: [] };

  const describe = (name, body) => {
    const outer = group;
    group = { names: [...outer.names, name], before: [...outer.before], after: [...outer.after] };
    body();
    group = outer;
  };
  const test = (title, body) => {
    const { before, after, names } = group;
    const name = [...names, title].join(' › ');
    const repeated = tests.filter((each) => each.name === name).length;
    const id = `${file} ${name}${repeated === 0 ? '' : ` #${repeated}`}`;
    const run = async () => {
      try {
        for (const each of before) await each();
        await body();
      } finally {
        for (const each of after) await each();
      }
    };
    tests.push({ id, name, run });
  };
  const each = (define) => (rows) => (title, body) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      define(titleOf(title, values), () => body(...values));
    }
  };
  load({
    describe: Object.assign(describe, { each: each(describe) }),
    test: Object.assign(test, { each: each(test) }),
    beforeEach: (body) => group.before.push(body),
    afterEach: (body) => group.after.unshift(body),
    jest: { setTimeout() {} },
  });
  return tests;
}

/** `%s` in order, and `$name` of a row that is an object, as jest does. */
function titleOf(title, values) {
  const [first] = values;
  if (/\$\w/.test(title) && typeof first === 'object') {
    return title.replaceAll(/\$([\w.]+)/g, (_, name) => format('%s', first[name]));
  }
  const places = (title.match(/%[sdioj]/g) ?? []).length;
  return format(title, ...values.slice(0, places));
}
