import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import sharp from "sharp";
import type { Upload } from "./uploads.ts";

const MAX_FILE_BYTES = 50 * 1024 * 1024;

export interface Form {
  fields: Readonly<Record<string, string>>;
  /** Without the empty ones that browsers send. */
  files: Readonly<Record<string, Upload>>;
}

/** A form with more than one file, or a plain or JSON body, as fields and files by their names. */
export async function readForm(request: FastifyRequest): Promise<Form> {
  const fields: Record<string, string> = {};
  const files: Record<string, Upload> = {};
  if (!request.isMultipart()) {
    for (const [name, value] of Object.entries((request.body ?? {}) as Record<string, unknown>)) fields[name] = String(value);
    return { fields, files };
  }
  for await (const part of request.parts({ limits: { files: 5, fileSize: MAX_FILE_BYTES } })) {
    if (part.type === "field") {
      fields[part.fieldname] = String(part.value);
      continue;
    }
    const { fieldname, filename: name, mimetype: type } = part;
    const bytes = await part.toBuffer();
    if (bytes.length > 0) files[fieldname] = { id: randomBytes(8).toString("hex"), name, type, bytes, readyAt: Date.now() };
  }
  return { fields, files };
}

/** Why a picture is no cover of this size; "" when it is. */
export async function coverProblem({ bytes }: Upload, { minPixels, maxPixels }: { minPixels: number; maxPixels: number }): Promise<string> {
  const { width, height } = await sharp(bytes)
    .metadata()
    .catch(() => ({ width: 0, height: 0 }));
  if (width === 0) return "not an image";
  if (width !== height) return "not square";
  return width < minPixels || width > maxPixels ? `${width} px, not ${minPixels} to ${maxPixels} px` : "";
}

/** e.g. "ep-abc.mp3" -> "mp3", in lower case */
export function endingOf({ name }: Upload): string {
  return /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}
