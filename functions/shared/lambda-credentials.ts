/**
 * In the place of the SDK's search for credentials, when the functions are bundled (tools/build-functions.mjs). Lambda puts those of the
 * function's role into the environment, and nowhere else: "Using Lambda environment variables, Defined runtime environment variables". The
 * search would also know single sign-on, profiles, containers and instances, with three clients of their own: a quarter of the bundle.
 */
import { fromEnv } from '@aws-sdk/credential-provider-env';

export const defaultProvider = (): ReturnType<typeof fromEnv> => fromEnv();
