/** Copies a response, so that `onEnd` is called once when its body has ended, broken or been cancelled. */
export function watchBody(response: Response, onEnd: (error: unknown) => void): Response {
  if (response.body === null) {
    onEnd(undefined);
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          controller.close();
          onEnd(undefined);
        } catch (error) {
          controller.error(error);
          onEnd(error);
        }
      },
      async cancel(reason) {
        onEnd(reason);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
