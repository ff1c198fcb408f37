//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { bands: 1, sampleType: "FLOAT32" } };
}
function evaluatePixel(s) {
  return [valueInterpolate(index(s.B08, s.B04), [-1, 0, 0.5, 1], [-1000, -50, 50, 1000])];
}
