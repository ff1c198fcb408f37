//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "dataMask"] }],
    output: { bands: 1, sampleType: "FLOAT32" },
    mosaicking: "ORBIT"
  }
}

function calcNDVI(sample) {
  var denom = sample.B04 + sample.B08;
  return ((denom != 0) ? (sample.B08 - sample.B04) / denom : 0.0);
}

function evaluatePixel(samples) {
  var max = -1;
  for (i = 0; i < samples.length; i++) {
    if (!samples[i].dataMask) continue;
    ndvi = calcNDVI(samples[i]);
    max = ndvi > max ? ndvi : max;
  }
  return [max];
}
