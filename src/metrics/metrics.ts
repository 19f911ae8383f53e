// All that is measured, in a registry of this process's own, as Prometheus reads it.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { counters, type Counters } from './counters.ts';
import { gauges, type Sources } from './gauges.ts';

export interface Metrics extends Counters {
  /** Says where the figures come from that are read off the running parts; once, when these are there. */
  observe(sources: Sources): void;
  /** In the text format of Prometheus, version 0.0.4. */
  scrape(): Promise<string>;
}

/** @see https://prometheus.io/docs/practices/naming/ */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'latchkey_build_info',
    help: 'Always 1; says which version runs.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  return {
    ...counters(registry),
    observe: (sources) => gauges(registry, sources),
    scrape: () => registry.metrics(),
  };
}
