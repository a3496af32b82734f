export { type SdkV2Options, sdkV2 } from "./sdk-v2.ts";
export type { ListenBackoff } from "./subscription-hub.ts";
