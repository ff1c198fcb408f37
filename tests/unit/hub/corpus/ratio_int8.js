//VERSION=3
function setup() {
  return { input: ["B03", "B04"], output: { bands: 1, sampleType: SampleType.INT8 } };
}
function evaluatePixel(s) {
  return [100 * Math.log2(inverse(s.B03) / inverse(s.B04))];
}
