/* A process that tries for a spool whenever it is told to, says what came of it, and holds what it got. */
import { openSpool } from '../src/spool/spool.js';

process.on('message', (path: string) => {
  openSpool(path).then(
    () => process.send?.('has it'),
    (error: unknown) => process.send?.(String(error)),
  );
});
process.send?.('ready');
