// Reads the text format of Prometheus strictly: whatever is not a comment has to be a sample.
const SAMPLE = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/;

/** `name{label="value"}` → value. @throws at a line that is no sample, or one that is there twice */
export function samplesIn(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const [, name, value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined || name in samples) throw new Error(`not a sample of its own: ${line}`);
    samples[name] = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
    if (Number.isNaN(samples[name]) && value !== 'Nan' && value !== 'NaN')
      throw new Error(`no figure: ${line}`);
  }
  return samples;
}
