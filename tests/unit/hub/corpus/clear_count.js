//VERSION=3
function setup() {
  return {
    input: [{ bands: ["SCL"] }],
    output: { bands: 1, sampleType: "UINT8" },
    mosaicking: "ORBIT"
  };
}
function evaluatePixel(samples) {
  return [samples.reduce((count, { SCL }) => count + ([0, 1, 3, 8, 9, 10].indexOf(SCL) < 0), 0)];
}
