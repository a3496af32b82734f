import type { EventId, EventStore, StreamId } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

interface StoredEvent {
  readonly streamId: StreamId;
  readonly message: JSONRPCMessage;
}

/** Keeps the events of one session, so that a client can resume a stream. */
export function memoryEventStore(): EventStore {
  const events: StoredEvent[] = [];
  return {
    storeEvent: async (streamId, message) => `event-${events.push({ streamId, message })}`,
    getStreamIdForEventId: async (eventId) => events[positionOf(eventId) - 1]?.streamId,
    replayEventsAfter: async (lastEventId, { send }) => {
      const position = positionOf(lastEventId);
      const streamId = events[position - 1]?.streamId ?? "unknown";
      for (const [index, event] of events.entries()) {
        // A priming event is stored as an empty message, which a client cannot parse.
        const isReplayed = index >= position && event.streamId === streamId && "jsonrpc" in event.message;
        if (isReplayed) await send(`event-${index + 1}`, event.message);
      }
      return streamId;
    },
  };
}

function positionOf(eventId: EventId): number {
  return Number(/^event-(\d+)$/.exec(eventId)?.[1] ?? 0);
}
