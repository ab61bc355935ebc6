/*
 * Uploads content of unknown length in parts, so that memory holds one part. The object is there when all parts are:
 * content that fails, or a process that ends, leaves an unfinished upload, which is aborted at once or swept later.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { withinBytes } from './object-store.js';

type Target = { readonly Bucket: string; readonly Key: string; readonly name: string };

/** S3 allows parts from 5 MiB, and 10,000 of them: 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

/** @returns the bytes of the content; one part or less is put at once */
export async function uploadStream(
  client: S3Client,
  { Bucket, Key, name }: Target,
  content: AsyncIterable<Uint8Array>,
  byteCountMax: number,
): Promise<number> {
  const parts = inParts(withinBytes(name, content, byteCountMax));
  const first = await parts.next();
  const bytes = first.done === true ? Buffer.alloc(0) : first.value;
  if (bytes.byteLength < PART_BYTES) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ContentLength: bytes.byteLength }));
    return bytes.byteLength;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  if (UploadId === undefined) throw new Error(`the upload of object ${name} has no id`);
  const upload = { Bucket, Key, UploadId };
  try {
    return await sendParts(client, upload, bytes, parts);
  } catch (error) {
    // Where this fails, too, the sweeper aborts it.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function sendParts(
  client: S3Client,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
  first: Buffer,
  rest: AsyncGenerator<Buffer>,
): Promise<number> {
  const sent: { PartNumber: number; ETag: string | undefined }[] = [];
  let byteCount = 0;
  const send = async (part: Buffer): Promise<void> => {
    const PartNumber = sent.length + 1;
    const command = new UploadPartCommand({
      ...upload,
      PartNumber,
      Body: part,
      ContentLength: part.byteLength,
    });
    const { ETag } = await client.send(command);
    sent.push({ PartNumber, ETag });
    byteCount += part.byteLength;
  };
  await send(first);
  for await (const part of rest) await send(part);
  await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: sent } }));
  return byteCount;
}

/** Chunks of any size as parts of one size; the last is smaller, and none is empty. */
async function* inParts(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    byteCount += chunk.byteLength;
    if (byteCount < PART_BYTES) continue;
    const bytes = Buffer.concat(chunks);
    let start = 0;
    for (; bytes.byteLength - start >= PART_BYTES; start += PART_BYTES)
      yield bytes.subarray(start, start + PART_BYTES);
    chunks = [bytes.subarray(start)];
    byteCount = bytes.byteLength - start;
  }
  if (byteCount > 0) yield Buffer.concat(chunks);
}
