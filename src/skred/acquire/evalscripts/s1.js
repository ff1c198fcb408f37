//VERSION=3
// Sentinel-1 GRD: backscatter as steps of 0.001 dB from -50 dB, 0 is "no data" (skred.coding.encode_db).
// UINT16 costs half the processing units of FLOAT32; decibels keep the relative accuracy of weak echoes.
function setup() {
  return {
    input: [{ bands: ["VV", "VH", "dataMask"] }],
    output: { bands: 2, sampleType: "UINT16" },
  };
}

function code(power) {
  if (!(power > 0 && isFinite(power))) {
    return 0;
  }
  var steps = Math.floor((10 * Math.log10(power) + 50) / 0.001 + 0.5);
  return Math.min(65535, Math.max(1, steps));
}

function evaluatePixel(sample) {
  if (sample.dataMask === 0) {
    return [0, 0];
  }
  return [code(sample.VV), code(sample.VH)];
}
