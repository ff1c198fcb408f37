//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B04", "B03", "B02", "SCL", "dataMask"] }],
    output: { bands: 3, sampleType: "UINT8" },
    mosaicking: "ORBIT"
  }
}
const CLEAR = new Set([2, 4, 5, 6, 7, 11]);

function evaluatePixel(samples) {
  for (const s of samples) {
    if (s.dataMask && CLEAR.has(s.SCL)) return [s.B04, s.B03, s.B02].map(v => 255 * v);
  }
  return [0, 0, 0];
}
