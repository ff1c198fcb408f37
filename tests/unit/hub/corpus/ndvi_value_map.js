//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { bands: 1, sampleType: "UINT8" } };
}
const intervals = [-0.2, 0.1, 0.4, 0.7, 1];
const classes = [10, 20, 30, 40, 50];
const evaluatePixel = (s) => [valueMap(index(s.B08, s.B04), intervals, classes)];
