/* The broker that all test files of a run share. */

/** host:port of the broker of this test run. Throws where none is named. */
export function testBroker(): string {
  const address = process.env['IMSCOPE_TEST_KAFKA'];
  if (address === undefined || address === '') {
    throw new Error(
      'IMSCOPE_TEST_KAFKA is not set: run ./scripts/test, which starts a broker, or name one as host:port',
    );
  }
  return address;
}
