//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B02", "B03", "B04", "dataMask"], units: "DN" }],
    output: { bands: 3, sampleType: "UINT16" },
    mosaicking: "ORBIT",
  };
}

function median(values) {
  if (values.length === 0) return 0;
  values.sort((a, b) => a - b);
  const half = Math.floor(values.length / 2);
  return values.length % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

function evaluatePixel(samples) {
  const valid = samples.filter((sample) => sample.dataMask === 1);
  return ["B04", "B03", "B02"].map((band) => median(valid.map((sample) => sample[band])));
}
