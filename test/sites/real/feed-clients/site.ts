/** Apps with which people subscribe to podcasts; they read a real studio's feeds (clients.ts). */
export const site = { name: "feed-clients", packages: ["gpodder", "newsboat", "python3-podcastparser"] } as const;
