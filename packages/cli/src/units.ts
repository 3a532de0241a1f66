const steps = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size for a person: three digits and a unit of 1024. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : value.toPrecision(3)} ${steps[step]}`;
}
