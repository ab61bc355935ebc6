/*
 * Content types by output format, as the server sends them.
 */
export function contentType(format: string): string {
  if (/^(?:JSON|PrettyJSON).*EachRow/.test(format) || format === 'JSONLines' || format === 'NDJSON')
    return 'application/x-ndjson; charset=UTF-8';
  if (format.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (format.startsWith('CSV'))
    return `text/csv; charset=UTF-8; header=${format.includes('WithNames') ? 'present' : 'absent'}`;
  if (/^(?:TSV|TabSeparated)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (format === 'XML') return 'application/xml; charset=UTF-8';
  if (format === 'Markdown') return 'text/markdown; charset=UTF-8';
  if (BINARY.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}

const BINARY =
  /^(?:Native|RowBinary.*|Parquet|Arrow.*|ORC|Avro|MsgPack|Protobuf.*|CapnProto|BSONEachRow|Npy|RawBLOB)$/;
