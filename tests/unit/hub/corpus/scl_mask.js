//VERSION=3
function setup() {
  return { input: ["SCL", "dataMask"], output: { bands: 1, sampleType: "UINT8", nodataValue: 255 } };
}

function isCloud(scl) {
  return [3, 8, 9, 10].includes(scl);
}

function evaluatePixel(s) {
  if (!s.dataMask || s.SCL == 0) { return [255]; }
  return [isCloud(s.SCL)];
}
