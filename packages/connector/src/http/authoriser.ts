/** Obtains and renews the token of one connection, in an SDK's own way. */
export interface Authoriser {
  /** Resolves with the token to send, if there is one, once no authorisation is under way. */
  token(): Promise<string | undefined>;
  /**
   * Answers a refusal. Resolves with whether there is another token than the refused one, so that the request may be
   * sent again.
   * @throws {RequestFailure} judged as unauthorised, when no token is to be had
   */
  answer(refusal: Response, refused: string | undefined): Promise<boolean>;
}
