export { type AgentInStory, type CallInStory, tellStory } from "./tell-story.ts";
