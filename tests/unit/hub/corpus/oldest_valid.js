//VERSION=3
function setup() {
  return { input: ["B08", "dataMask"], output: { bands: 1, sampleType: "FLOAT32" }, mosaicking: "ORBIT" };
}
function evaluatePixel(samples) {
  const valid = samples.find((s) => s.dataMask);
  return [valid ? valid.B08 : -1];
}
