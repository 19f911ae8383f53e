// The flag that gives a Node process of its own another clock: nobody may set the machine's.

/** @param aheadMs by how much its clock is ahead, in milliseconds; negative where it is behind */
export function clockAhead(aheadMs: number): string {
  const module = `const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...parts) {
        if (parts.length === 0) super(RealDate.now() + ${aheadMs});
        else super(...parts);
      }
      static now() {
        return RealDate.now() + ${aheadMs};
      }
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(module)}`;
}
