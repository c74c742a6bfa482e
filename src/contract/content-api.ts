import { z } from "zod";
import { anyOf, done, limit, listOf, name, page, queryText, search, text, time, uuid, type ApiRoutes } from "./api-route.ts";

/** The Content API (rows C1-C4), under /api/v1: by API key or by a person's token. */

export const usageModes = ["random", "sequential", "weighted"] as const;
export type UsageMode = (typeof usageModes)[number];
export const contentTypes = ["social", "wordpress"] as const;

export const medium = z.object({
  id: uuid,
  url: z.string(),
  filename: z.string(),
  mime_type: z.string(),
  size_bytes: z.string().describe("a number, as text"),
  duration_sec: z.number().nullable(),
});

export const variant = z.object({
  id: uuid,
  content: z.string(),
  mediaIds: z.array(uuid),
  media_count: z.number(),
  media_usage_mode: z.enum(usageModes),
  weight: z.number(),
  order: z.number(),
  isUsed: z.boolean(),
  lastUsedAt: time.nullable(),
  media: z.array(medium),
});

const tag = z.object({ id: uuid, name: z.string() });

export const content = z.object({
  id: uuid,
  status: z.enum(["active", "inactive"]),
  title: z.string(),
  type: z.enum(contentTypes),
  action_type: z.string(),
  content_data: z.object({ type: z.enum(contentTypes), variant_usage_mode: z.enum(usageModes), variants: z.array(variant) }),
  tags: z.array(tag),
  fbAccount: z.object({ id: uuid, name: z.string(), uid: z.string(), status: z.string() }).nullable(),
  createdAt: time,
  updatedAt: time,
  _count: z.object({
    tags: z.number(),
    variants: z.number(),
    total_media: z.number(),
    folders: z.number(),
    unused_variants: z.number(),
  }),
});

const variantBody = z.object({
  content: text.min(1),
  weight: z.number().min(0).max(1_000_000).default(1),
  order: z.int().min(0).max(1_000_000).optional().describe("its place in the list where it is absent"),
  media_usage_mode: z.enum(usageModes).default("random"),
  mediaIds: z.array(uuid).max(1000).default([]),
});

const contentFields = {
  title: name,
  type: z.enum(contentTypes),
  action_type: text.max(100),
  status: z.enum(["active", "inactive"]),
  variant_usage_mode: z.enum(usageModes),
  variants: z.array(variantBody).min(1).max(1000),
  tags: z.array(name).max(100),
};

const one = z.object({ success: z.literal(true), content });

export const contentRoutes = {
  getById: {
    method: "GET",
    path: "/content/get-by-id/:id",
    row: "C1",
    summary: "A content with its variants, media and tags; reading changes nothing",
    needs: "content:read",
    answer: one,
  },
  listContent: {
    method: "GET",
    path: "/content",
    summary: "Contents, the newest first",
    needs: "content:read",
    query: z.object({ page, limit, search, type: anyOf(contentTypes), tag: queryText({ most: 200 }) }),
    answer: listOf(content),
  },
  createContent: {
    method: "POST",
    path: "/content",
    summary: "Makes a content",
    needs: "content:write",
    status: 201,
    body: z.object({
      ...contentFields,
      type: contentFields.type.default("social"),
      action_type: contentFields.action_type.default(""),
      status: contentFields.status.default("active"),
      variant_usage_mode: contentFields.variant_usage_mode.default("random"),
      tags: contentFields.tags.default([]),
    }),
    answer: one,
  },
  changeContent: {
    method: "PUT",
    path: "/content/:id",
    summary: "Changes what is given; variants, where given, replace the ones there were",
    needs: "content:write",
    body: z.object(contentFields).partial(),
    answer: one,
  },
  deleteContent: { method: "DELETE", path: "/content/:id", summary: "Deletes a content", needs: "content:write", answer: done },
  take: {
    method: "POST",
    path: "/content/:id/take",
    summary: "Picks a variant by the content's mode and marks it used; the same key always gets the same pick",
    needs: "content:write",
    body: z.object({ key: text.min(1).max(200) }),
    answer: z.object({ success: z.literal(true), variant, media: medium.nullable() }),
  },
  listTags: {
    method: "GET",
    path: "/tags",
    summary: "The tags that contents have",
    needs: "content:read",
    query: z.object({ page, limit, search }),
    answer: listOf(tag.extend({ contents: z.number() })),
  },
} as const satisfies ApiRoutes;

/** Files of contents. */
export const mediaRoutes = {
  listMedia: {
    method: "GET",
    path: "/media",
    summary: "Files, the newest first",
    needs: "content:read",
    query: z.object({ page, limit, search }),
    answer: listOf(medium),
  },
  uploadMedium: {
    method: "POST",
    path: "/media",
    summary: "Keeps a file of at most 200 MB: MP3, M4A, WAV, JPEG, PNG, WebP, GIF or MP4, told by what is in it",
    needs: "content:write",
    status: 201,
    file: "sent",
    answer: z.object({ success: z.literal(true), media: medium }),
  },
  deleteMedium: {
    method: "DELETE",
    path: "/media/:id",
    summary: "Deletes a file that no variant uses",
    needs: "content:write",
    answer: done,
  },
  readMedium: {
    method: "GET",
    path: "/media/:id/:filename",
    summary: "The file, for whoever knows its address; ranges and ETag",
    needs: "open",
    file: "answered",
    answer: z.unknown(),
  },
} as const satisfies ApiRoutes;
