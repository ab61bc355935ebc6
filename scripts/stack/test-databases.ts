/*
 * The databases that all test files of a run share. A file uses a database, prefix or bucket of its own name.
 */

/** Of the server of MongoDB's protocol, which is FerretDB: `mongodb://127.0.0.1:port`, without credentials. */
export function testMongodb(): string {
  return addressIn('IMSCOPE_TEST_MONGODB', 'a MongoDB');
}

/** Of the S3 server, with its credentials: `http://access-key:secret-key@127.0.0.1:port` (`readS3Address`). */
export function testS3(): string {
  return addressIn('IMSCOPE_TEST_S3', 'an S3 server');
}

function addressIn(variable: string, what: string): string {
  const address = process.env[variable];
  if (address === undefined || address === '') {
    throw new Error(`${variable} is not set: run ./scripts/test, which starts ${what}, or name one`);
  }
  return address;
}
