/** What a sign-in brought. */
export interface SessionTokens {
  token: string;
  refresh_token: string;
}

export interface ApiSession {
  /** Signs in where nobody has yet. */
  token(): Promise<string>;
  /** Another one than that which was refused. */
  renew(refused: string): Promise<string>;
}

/**
 * One sign-in for all calls of a client: those that come together wait for the same one.
 * @param refresh resolves to null when the manager does not take the refresh token any more
 */
export function createSession(
  signIn: () => Promise<SessionTokens>,
  refresh: (refreshToken: string) => Promise<SessionTokens | null>,
): ApiSession {
  let current: Promise<SessionTokens> | null = null;

  async function begin(work: () => Promise<SessionTokens>): Promise<SessionTokens> {
    const mine = work();
    current = mine;
    try {
      return await mine;
    } catch (error) {
      if (current === mine) current = null;
      throw error;
    }
  }

  return {
    token: async () => (await (current ?? begin(signIn))).token,
    async renew(refused) {
      const before = current;
      const known = await (before ?? begin(signIn));
      if (known.token !== refused) return known.token;
      // Whoever came first renews it for all.
      if (current !== before) return (await (current ?? begin(signIn))).token;
      return (await begin(async () => (await refresh(known.refresh_token)) ?? signIn())).token;
    },
  };
}
