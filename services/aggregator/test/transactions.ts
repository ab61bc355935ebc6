/* Foreign transactions on a topic, with the real broker: begun, written to, committed or aborted one by one. */
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, type Producer, type Transaction } from 'kafkajs';

export type ForeignTransaction = {
  send(...values: readonly string[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
};

export type Transactions = {
  begin(topic: string): Promise<ForeignTransaction>;
  /** One transaction from its begin to its end. */
  run(topic: string, end: 'commit' | 'abort', ...values: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

/** @param broker `host:port` */
export function openTransactions(broker: string): Transactions {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producers: Producer[] = [];
  const begin = async (topic: string): Promise<ForeignTransaction> => {
    const producer = kafka.producer({
      transactionalId: `foreign-${randomBytes(4).toString('hex')}`,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    producers.push(producer);
    const transaction: Transaction = await producer.transaction();
    return {
      send: async (...values) => {
        const messages = values.map((value) => ({ partition: 0, value }));
        await transaction.send({ topic, acks: -1, messages });
      },
      commit: () => transaction.commit(),
      abort: () => transaction.abort(),
    };
  };
  return {
    begin,
    run: async (topic, end, ...values) => {
      const transaction = await begin(topic);
      await transaction.send(...values);
      await (end === 'commit' ? transaction.commit() : transaction.abort());
    },
    close: async () => {
      await Promise.all(producers.map((producer) => producer.disconnect()));
    },
  };
}
