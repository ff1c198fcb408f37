//VERSION=3
function setup() { return { input: [{ bands: ["VV"] }], output: { bands: 1, sampleType: "UINT8" } }; }
const threshold_db = -15;
const evaluatePixel = (s) => [10 * Math.log10(s.VV) < threshold_db ? 1 : 0];
