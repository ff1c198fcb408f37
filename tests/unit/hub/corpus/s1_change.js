//VERSION=3
// Newest minus oldest pass in decibels, as steps of 0.1 around 128.
function setup() {
  return { input: ["VV"], output: { bands: 1, sampleType: "UINT8" }, mosaicking: "ORBIT" };
}
function evaluatePixel(samples) {
  if (samples.length < 2) return [0];
  const ratio = samples[0].VV / samples[samples.length - 1].VV;
  return [128 + 100 * Math.log10(ratio)];
}
