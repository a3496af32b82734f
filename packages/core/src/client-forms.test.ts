import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADDRESSED, COMPLETABLE, NAMED } from "./client-forms.ts";

const forms = { NAMED, ADDRESSED, COMPLETABLE };
const value = fc.oneof(fc.constant(undefined), fc.constantFrom<unknown>("", "a", 0, null, []), fc.constant({}));
const keys = ["name", "arguments", "_meta", "uri", "ref", "argument", "context"] as const;
const params = fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });

describe("the forms of parameters", () => {
  it.each(Object.entries(forms))("fit by %s exactly where nothing is wrong with them", (_, form) => {
    fc.assert(
      fc.property(params, (each) => {
        expect(form.fits(each)).toBe(form.issues(each).length === 0);
      }),
      { numRuns: 500 },
    );
  });
});
