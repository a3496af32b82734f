/** The version of this package, as in its package.json: the version of the instrumentation scope. */
export const VERSION = "0.0.0";
